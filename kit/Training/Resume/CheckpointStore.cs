using ResearchKit.Native;

namespace ResearchKit.Training;

/// <summary>A folder of checkpoints, locked by the run that writes to it.</summary>
internal sealed class CheckpointStore : IDisposable
{
    public const string StepPrefix = "step-", BestPrefix = "best-", StateFile = "trainer.json";
    private const string LockFile = ".run.lock";

    private readonly CheckpointOptions options;
    private readonly IDisposable held;
    private readonly HistoryFile history;

    private CheckpointStore(CheckpointOptions options, IDisposable held)
    {
        this.options = options;
        this.held = held;
        history = new HistoryFile(options.Folder);
    }

    /// <summary>Locks the folder for a run that has done a number of steps.</summary>
    /// <exception cref="IOException">
    /// Another run writes to the folder, or it has checkpoints of later steps; nothing was changed.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public static CheckpointStore Open(CheckpointOptions options, int step)
    {
        Directory.CreateDirectory(options.Folder);
        var store = new CheckpointStore(options, RunLock.Take(Path.Combine(options.Folder, LockFile),
            $"Another run writes its checkpoints to {options.Folder}; choose another folder."));
        try
        {
            if (Whole(options.Folder, StepPrefix).LastOrDefault() is { } last && StepOf(last, StepPrefix) > step)
                throw new IOException($"{options.Folder} holds checkpoints of an earlier run up to step "
                    + $"{StepOf(last, StepPrefix)}, but this run is at step {step}. "
                    + "Resume that run, or choose another folder.");
            // left by a killed run
            foreach (var left in Directory.EnumerateDirectories(options.Folder, $"*{AtomicWrite.Ending}"))
                Directory.Delete(left, recursive: true);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Returns the complete checkpoints, oldest first.</summary>
    public static IEnumerable<string> Whole(string folder, string prefix) =>
        (Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, $"{prefix}*") : [])
        .Where(place => !place.EndsWith(AtomicWrite.Ending, StringComparison.Ordinal)
            && File.Exists(Path.Combine(place, StateFile)))
        .Order(StringComparer.Ordinal);

    /// <summary>Writes a checkpoint atomically, then removes the oldest ones beyond the number to keep.</summary>
    /// <param name="prefix">Kind of checkpoint.</param>
    /// <param name="step">The step after which it is taken.</param>
    /// <param name="reports">The reports of the run so far.</param>
    /// <param name="write">Writes the files into the folder that it is given.</param>
    public void Write(string prefix, int step, IReadOnlyList<StepReport> reports, Action<string> write)
    {
        try
        {
            history.Write(reports);
            AtomicWrite.To(Path.Combine(options.Folder, $"{prefix}{step:00000000}"), temporary =>
            {
                Directory.CreateDirectory(temporary);
                write(temporary);
            });
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The checkpoint of step {step} could not be written to {options.Folder}: "
                + $"{error.Message} The run is at step {step} and can continue; earlier checkpoints are as they were.", error);
        }
        Rotate(prefix, prefix == BestPrefix ? 1 : options.Keep);
    }

    /// <inheritdoc/>
    public void Dispose() => held.Dispose();

    private void Rotate(string prefix, int? keep)
    {
        if (keep is not { } kept) return;
        foreach (var old in Whole(options.Folder, prefix).SkipLast(kept).ToList()) Directory.Delete(old, recursive: true);
    }

    private static int StepOf(string place, string prefix) =>
        int.TryParse(Path.GetFileName(place)[prefix.Length..], out var step) ? step : 0;
}

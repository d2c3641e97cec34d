using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Trainer checkpoints: folders that are written atomically.</summary>
internal static class Checkpoint
{
    private const int Version = 2;
    private const string ModelFile = "model.safetensors", OptimizerFile = "optimizer.safetensors",
        AverageFile = "average.safetensors", RandomFile = "random.safetensors";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private sealed record State(int Version, string Model, int Step, LoaderPosition Loader, BestEvaluation Best, double LossScale,
        int GoodSteps, string? Kernels = null,
        RunIdentity? Run = null);

    /// <summary>Writes the checkpoints that are due. All ranks must call it; rank 0 writes.</summary>
    /// <param name="trainer">The trainer to save.</param>
    /// <param name="store">The folder of checkpoints; null on other ranks than 0.</param>
    /// <param name="regular">Whether to write a checkpoint to resume from.</param>
    /// <param name="best">Whether to write the evaluation weights as the best checkpoint.</param>
    public static void Save(Trainer trainer, CheckpointStore? store, bool regular, bool best)
    {
        using var scope = NewDisposeScope();
        var random = RandomState.Of(trainer.Workers);
        var optimizer = trainer.Optimizer.State();
        var state = new State(Version, trainer.Model.GetName(), trainer.Step, trainer.Loader.Position, trainer.Best,
            trainer.Scale.Value, trainer.Scale.Good,
            Compute.Kernels.ToString(), RunIdentity.Of(trainer));
        if (regular)
            store?.Write(CheckpointStore.StepPrefix, trainer.Step, trainer.Reports, folder =>
            {
                StateDict.Save(trainer.Model, Path.Combine(folder, ModelFile));
                SafetensorsFile.Write(Path.Combine(folder, OptimizerFile), optimizer);
                if (trainer.Average is { } average) SafetensorsFile.Write(Path.Combine(folder, AverageFile), average.State());
                SafetensorsFile.Write(Path.Combine(folder, RandomFile), random);
                WriteState(folder, state);
            });
        if (!best) return;
        // on every rank: a sharded optimizer exchanges weights here
        using var judged = trainer.UseEvaluationWeights();
        store?.Write(CheckpointStore.BestPrefix, trainer.Step, trainer.Reports, folder =>
        {
            StateDict.Save(trainer.Model, Path.Combine(folder, ModelFile));
            WriteState(folder, state);
        });
    }

    /// <summary>Returns whether a folder has a checkpoint to resume from.</summary>
    public static bool Exists(string folder) => Whole(folder) is not null;

    /// <summary>
    /// Restores a trainer from a checkpoint; if a file does not match, the trainer does not change.
    /// </summary>
    public static void Load(string folder, Trainer trainer, bool otherRun)
    {
        var place = Whole(folder) ?? throw new DirectoryNotFoundException($"There is no checkpoint in {folder}.");
        var file = Path.Combine(place, CheckpointStore.StateFile);
        var state = ReadState(file, trainer);
        if (!otherRun && state.Run?.DifferenceTo(RunIdentity.Of(trainer)) is { } difference)
            throw new InvalidDataException($"{file} is of another run: {difference}. Pass otherRun: "
                + "true to resume from it anyway.");
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> Read(string file) => SafetensorsFile.Read(Path.Combine(place, file));
        var (model, optimizer, random) = (Read(ModelFile), Read(OptimizerFile), Read(RandomFile));
        var average = trainer.Average is null ? null : Read(AverageFile);
        var generator = RandomState.Own(random, trainer.Workers, Path.Combine(place, RandomFile));
        using var before = WeightSnapshot.Of(trainer.Model);
        StateDict.Load(trainer.Model, model, Path.Combine(place, ModelFile));
        if (average is not null) CopyAverage(trainer.Average!.State(), average, Path.Combine(place, AverageFile));
        trainer.Optimizer.LoadState(optimizer);
        set_rng_state(generator);
        trainer.Scale.Restore(state.LossScale, state.GoodSteps);
        trainer.Loader.Position = state.Loader;
        var history = HistoryFile.Read(place, state.Step, out var unread);
        var notes = string.Join(' ', new[] { Take(state.Kernels), unread }.OfType<string>());
        trainer.ContinueFrom(state.Step, state.Best, notes.Length == 0 ? null : notes, history);
        before.Forget();
    }

    /// <summary>
    /// Selects the native kernels of the interrupted run, so that the resumed run gives the same bits.
    /// </summary>
    /// <returns>The reason if that is not possible, in one sentence; null on success.</returns>
    private static string? Take(string? kernels)
    {
        if (kernels is null || kernels == Compute.Kernels.ToString()) return null;
        try
        {
            Compute.Kernels = KernelTable.Parse(kernels);
            return null;
        }
        catch (Exception error) when (error is FormatException or NotSupportedException or InvalidOperationException)
        {
            return "The resumed run uses other native kernels than before, so that the last bits of its results may "
                + $"differ. {error.Message}";
        }
    }

    /// <summary>Loads the best weights of a run.</summary>
    public static void LoadBest(string folder, Trainer trainer)
    {
        var place = CheckpointStore.Whole(folder, CheckpointStore.BestPrefix).LastOrDefault()
            ?? throw new DirectoryNotFoundException($"There is no best checkpoint in {folder}.");
        StateDict.Load(trainer.Model, Path.Combine(place, ModelFile));
    }

    private static string? Whole(string folder) => File.Exists(Path.Combine(folder, CheckpointStore.StateFile)) ? folder
        : CheckpointStore.Whole(folder, CheckpointStore.StepPrefix).LastOrDefault();

    private static void CopyAverage(IReadOnlyDictionary<string, Tensor> own, Dictionary<string, Tensor> saved, string path)
    {
        foreach (var (name, average) in own)
            if (!saved.TryGetValue(name, out var value) || !value.shape.SequenceEqual(average.shape))
                throw new InvalidDataException($"{path} has no average '{name}' of shape "
                    + $"[{string.Join(", ", average.shape)}].");
        using var noGrad = no_grad();
        foreach (var (name, average) in own) average.copy_(saved[name]);
    }

    private static void WriteState(string folder, State state) =>
        File.WriteAllText(Path.Combine(folder, CheckpointStore.StateFile), JsonSerializer.Serialize(state, Json));

    private static State ReadState(string path, Trainer trainer)
    {
        try
        {
            var state = JsonSerializer.Deserialize<State>(File.ReadAllText(path), Json)
                ?? throw new InvalidDataException($"{path} is empty.");
            if (state.Version != Version)
                throw new InvalidDataException($"{path} has the format version {state.Version}; "
                    + $"this version of the kit reads {Version}.");
            if (state.Model != trainer.Model.GetName())
                throw new InvalidDataException($"{path} is a checkpoint of a {state.Model}; "
                    + $"this model is a {trainer.Model.GetName()}.");
            return state;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} does not contain a trainer's state: {error.Message}", error);
        }
    }
}

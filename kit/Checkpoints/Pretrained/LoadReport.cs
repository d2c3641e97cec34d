using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>What <c>FromPretrained</c> took from the file, what is new in the model, and what was left out.</summary>
public sealed record LoadReport
{
    private const int MostNames = 8;   // in one line
    private static readonly ConditionalWeakTable<nn.Module, LoadReport> Reports = [];

    internal LoadReport(string model, string source, int tensors)
    {
        Model = model;
        Source = source;
        Tensors = tensors;
    }

    /// <summary>Class of the model.</summary>
    public string Model { get; }

    /// <summary>Path of the file or index that was read.</summary>
    public string Source { get; }

    /// <summary>Number of parameters and buffers of the model.</summary>
    public int Tensors { get; }

    /// <summary>Name of the state dict that was read, if the caller chose one.</summary>
    public string? Key { get; internal init; }

    /// <summary>What was taken off the file's names, such as <c>module.</c>; null for nothing.</summary>
    public string? Prefix { get; internal init; }

    /// <summary>
    /// Parameters that keep their initial values and must be trained, with their shapes and the reason, in words.
    /// </summary>
    public IReadOnlyList<string> New { get; internal init; } = [];

    /// <summary>Parameters that were computed from the file's of another size, with both shapes, in words.</summary>
    public IReadOnlyList<string> Resized { get; internal init; } = [];

    /// <summary>Names in the file that the model does not use.</summary>
    public IReadOnlyList<string> LeftOut { get; internal init; } = [];

    /// <summary>The report in words, one line for each kind of difference.</summary>
    public override string ToString()
    {
        var lines = new List<string>
        {
            $"{Model} from {Source}{(string.IsNullOrEmpty(Key) ? "" : $", key '{Key}'")}: "
                + $"{Tensors - New.Count} of {Tensors} tensors loaded.",
        };
        if (New.Count > 0) lines.Add($"New, with initial values, train before use: {Some(New)}.");
        if (Resized.Count > 0) lines.Add($"Resized: {Some(Resized)}.");
        if (LeftOut.Count > 0) lines.Add($"Left out of the file: {Some(LeftOut)}.");
        if (Prefix is not null) lines.Add($"'{Prefix}' was taken off the names of the file.");
        return string.Join('\n', lines);
    }

    internal static LoadReport? Of(nn.Module model) => Reports.TryGetValue(model, out var report) ? report : null;

    internal void Attach(nn.Module model) => Reports.AddOrUpdate(model, this);

    private static string Some(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostNames).Select(name => name.ReplaceLineEndings(" ")))
        + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");
}

/// <summary>Gives the load report of a model.</summary>
public static class LoadReports
{
    extension(nn.Module model)
    {
        /// <summary>
        /// What <c>FromPretrained</c> took from the file, what is new and what was left out; null for a model that was not
        /// loaded so.
        /// </summary>
        public LoadReport? LoadReport => Checkpoints.LoadReport.Of(model);
    }
}

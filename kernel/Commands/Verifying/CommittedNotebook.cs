using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands.Running;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Parameters;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>A notebook with the outputs that its author committed.</summary>
internal sealed class CommittedNotebook
{
    private static readonly string[] LeftOut = ["volatile", "skip-verify"];

    private readonly Dictionary<string, NotebookCell> cells;
    private readonly Dictionary<string, Tolerance> tolerances;

    private CommittedNotebook(NotebookDocument notebook, string name, Tolerance tolerance)
    {
        cells = notebook.Cells.Where(cell => cell.IsRunnable).ToDictionary(cell => cell.Id);
        tolerances = cells.Values.ToDictionary(cell => cell.Id, cell => tolerance.Of(cell, name));
        Parameters = (notebook.Metadata["researchkit"] as JsonObject)?["parameters"] is JsonObject told
            ? told.ToDictionary(entry => entry.Key, entry => TypedText.Of(entry.Value))
            : [];
        IsPortable = (notebook.Metadata["researchkit"] as JsonObject)?["portable"] is JsonValue value
            && value.TryGetValue<bool>(out var portable) && portable;
    }

    /// <summary>Whether the committed run was portable.</summary>
    public bool IsPortable { get; }

    /// <summary>The parameters of the committed run.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; }

    /// <summary>Reads a notebook with its committed outputs.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tolerance">The tolerance for cells that do not set their own.</param>
    /// <exception cref="InvalidDataException">
    /// The notebook has no outputs, or the tolerance in a cell's metadata is invalid.
    /// </exception>
    public static CommittedNotebook Load(string path, Tolerance tolerance)
    {
        var notebook = NotebookDocument.Load(path);
        NotebookLanguages.Require(notebook, path);
        var isRun = notebook.Cells.Any(cell => cell.ExecutionCount is not null || cell.Outputs.Count > 0);
        if (!isRun) throw new InvalidDataException($"{path} has no outputs to compare with; run it with --in-place first.");
        return new CommittedNotebook(notebook, path, tolerance);
    }

    /// <summary>Compares the outputs of a run with the committed ones.</summary>
    public NotebookComparison Compare(RunReport report, NotebookDocument now)
    {
        var compared = new List<(CellReport Cell, CellComparison Comparison)>();
        var leftOut = 0;
        var executed = now.Cells.ToDictionary(cell => cell.Id);
        foreach (var cell in report.Cells.Where(cell => cell.End != CellEnd.Skipped))
        {
            if (!cells.TryGetValue(cell.Id, out var committed) || executed[cell.Id].Tags.Contains(ParametersCell.InjectedTag))
                continue;
            if (committed.Tags.Intersect(LeftOut).Any()) leftOut++;
            else compared.Add((cell, CellComparison.Of(committed, executed[cell.Id], tolerances[cell.Id])));
        }
        return new NotebookComparison(report, compared, leftOut);
    }
}

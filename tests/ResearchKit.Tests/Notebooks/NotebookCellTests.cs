using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ResearchKit.Tests.Notebooks;

/// <summary>What the cells of the committed notebooks look like.</summary>
public sealed class NotebookCellTests
{
    private const int MostLines = 25, LeastPolyglot = 3;

    /// <summary>Cells that teach the loop that the trainer replaces, or time one step of it.</summary>
    private static readonly HashSet<string> LoopsByHand =
    [
        "08-what-makes-training-faster.ipynb: hand", "12-what-weights-look-like.ipynb: superposition",
        "18-what-a-model-costs.ipynb: step",
    ];

    private sealed record Cell(string Notebook, string Id, bool IsCode, string Source)
    {
        public string Name => $"{Notebook}: {Id}";

        public string Language =>
            Regex.Match(Source, @"\A#!(fsharp|python)\s*$", RegexOptions.Multiline) is { Success: true } line
                ? line.Groups[1].Value : "csharp";
    }

    [Fact]
    public void No_cell_is_longer_than_25_lines() => Assert.Empty(
        Cells().Where(cell => cell.IsCode && cell.Source.Split('\n').Length > MostLines).Select(cell => cell.Name));

    [Fact]
    public void Only_cells_that_teach_it_call_backward() =>
        Assert.Equal(LoopsByHand, Cells()
            .Where(cell => cell.IsCode && cell.Source.Contains(".backward(", StringComparison.Ordinal))
            .Select(cell => cell.Name).ToHashSet());

    [Fact]
    public void Accuracy_comes_from_the_metrics() => Assert.Empty(
        Cells().Where(cell => cell.IsCode && Regex.IsMatch(cell.Source, @"\.argmax\([^)]*\)\.eq\(")).Select(cell => cell.Name));

    [Fact]
    public void At_least_three_notebooks_use_a_result_of_another_language()
    {
        var polyglot = Cells().GroupBy(cell => cell.Notebook).Where(notebook => SharedOnwards([.. notebook]).Any()).ToList();
        Assert.True(polyglot.Count >= LeastPolyglot, string.Join(", ", polyglot.Select(notebook => notebook.Key)));
    }

    /// <summary>Variables of an F# or Python cell that a later C# cell shares and uses.</summary>
    private static IEnumerable<string> SharedOnwards(IReadOnlyList<Cell> cells) =>
        from place in Enumerable.Range(0, cells.Count)
        where cells[place].IsCode && cells[place].Language == "csharp"
        from Match share in Regex.Matches(cells[place].Source, @"^#!share (\w+) --from (fsharp|python)(?: --as (\w+))?\s*$",
            RegexOptions.Multiline)
        let variable = share.Groups[1].Value
        let own = share.Groups[3].Success ? share.Groups[3].Value : variable
        where cells.Take(place).Any(cell => cell.IsCode && cell.Language == share.Groups[2].Value
            && Regex.IsMatch(cell.Source, $@"\b{variable}\s*="))
        where Regex.Count(cells[place].Source, $@"^(?!#!).*\b{own}\b", RegexOptions.Multiline) > 0
        select variable;

    private static List<Cell> Cells() =>
    [
        .. from path in Directory.GetFiles(Repository.PathTo("notebooks"), "*.ipynb").Order(StringComparer.Ordinal)
           from cell in JsonNode.Parse(File.ReadAllText(path))!["cells"]!.AsArray()
           let isCode = (string?)cell!["cell_type"] == "code"
           select new Cell(Path.GetFileName(path), (string)cell!["id"]!, isCode, Text(cell["source"]!)),
    ];

    private static string Text(JsonNode source) =>
        source is JsonArray lines ? string.Concat(lines.Select(line => (string)line!)) : (string)source!;
}

using System.Globalization;
using System.Text;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>
/// docs/benchmarks.md: a table for each of <see cref="TableList"/>, with a column for each class of processors.
/// </summary>
internal static class TablePage
{
    public static string Of(IReadOnlyList<Results> all)
    {
        var page = new StringBuilder().AppendLine("# Benchmarks").AppendLine()
            .AppendLine("Made by `dotnet run --project tests/ResearchKit.Benchmarks -c Release -- tables write` from the "
                + "files in `benchmarks/`; `-- tables NAME` measures one table on")
            .AppendLine("the machine at hand. Each number compares two things within one run: both are measured by turns, and "
                + "the number is the median over")
            .AppendLine("the rounds. In brackets: between which the middle half of the rounds lies. Then the target, and the "
                + "medians of both sides.").AppendLine()
            .AppendLine("| class of processors | processor | instruction sets | caches | cores, threads | libtorch | system |")
                .AppendLine("|---|---|---|---|---|---|---|");
        foreach (var one in all)
            page.AppendLine(CultureInfo.InvariantCulture,
                $"| {one.Processor.Class} | {one.Processor.Name}, family {one.Processor.Family:X}h, model {one.Processor.Model:X}h | {string.Join(", ", one.Processor.InstructionSets)} | {(one.Processor.CachesVisible ? "visible" : "hidden")} | {one.Cores}, {one.Threads} | {one.Libtorch} | {one.OperatingSystem} |");
        foreach (var (name, (title, rows)) in TableList.All) Table(page, name, title, [.. rows()], all);
        if (File.Exists(Repository.Limits)) page.AppendLine().Append(File.ReadAllText(Repository.Limits));
        return page.ToString();
    }

    /// <summary>A measurement, in a line: <c>0.83 (0.81–0.86), target ≤ 0.88: reached; 412 against 496 ms</c>.</summary>
    public static string Line(Measurement row)
    {
        if (row.Refused is { } reason) return reason;
        var target = row.Target is null
            ? "" : $", target ≤ {Number(row, row.Target)}: {(row.Reached == true ? "reached" : "**missed**")}";
        return string.Create(CultureInfo.InvariantCulture,
            $"{Number(row, row.Value)} ({Number(row, row.LowerQuartile)}–{Number(row, row.UpperQuartile)}){target}; {row.Ours:G3} against {row.ReferenceValue:G3} {row.Unit}");
    }

    private static void Table(StringBuilder page, string name, string title, List<Row> rows, IReadOnlyList<Results> all)
    {
        page.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"## {title} (`tables {name}`)").AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"| what | against | {string.Join(" | ", all.Select(one => one.Processor.Class))} |")
            .AppendLine(CultureInfo.InvariantCulture, $"|---|---|{string.Concat(all.Select(_ => "---|"))}");
        foreach (var row in rows)
            page.AppendLine(CultureInfo.InvariantCulture,
                $"| {row.Name} | {row.Reference} | {string.Join(" | ", all.Select(one => Cell(one, name, row.Name)))} |");
    }

    private static string Cell(Results results, string table, string row) =>
        results.Tables.GetValueOrDefault(table)?.Find(one => one.Name == row) is { } found ? Line(found) : "not measured";

    private static string Number(Measurement row, double? value) => row.Comparison switch
    {
        Comparison.Remainder => string.Create(CultureInfo.InvariantCulture, $"{value:0 %}"),
        Comparison.Difference => string.Create(CultureInfo.InvariantCulture, $"{value:+0.0;-0.0;0.0} {row.Unit}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:0.000}"),
    };
}

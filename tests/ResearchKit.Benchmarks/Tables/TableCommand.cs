using ResearchKit.Native;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>
/// <c>tables NAME [PART OF A ROW'S NAME]</c> measures a table, or some rows of it, prints it and saves it; <c>tables write</c>
/// makes docs/benchmarks.md of all that was saved.
/// </summary>
internal static class TableCommand
{
    public const string Name = "tables";

    /// <summary>As the targets have it.</summary>
    private const int Threads = 2;

    public static int Run(string[] arguments)
    {
        if (arguments is ["write"])
        {
            File.WriteAllText(Repository.Page, TablePage.Of(Results.All()));
            return 0;
        }
        if (arguments is not [var name, ..] || !TableList.All.TryGetValue(name, out var table))
        {
            Console.Error.WriteLine($"Usage: tables [{string.Join('|', TableList.All.Keys)}] [part of a row's name], or "
                + "tables write.");
            return 2;
        }
        Measure(name, table.Title, [.. table.Rows()], arguments.Length > 1 ? arguments[1] : "");
        return 0;
    }

    private static void Measure(string name, string title, List<Row> rows, string part)
    {
        Compute.Threads = Threads;
        var (processor, commit) = (Processor.Read(), Repository.Commit());
        var results = Results.Open(processor);
        Console.WriteLine($"{title}: {processor.Class} ({processor.Name}), {Threads} threads, commit {commit}");
        foreach (var row in rows.Where(row => row.Name.Contains(part, StringComparison.OrdinalIgnoreCase)))
        {
            var measurement = Measurement.Of(row, processor, commit);
            results.Put(name, measurement, [.. rows.Select(one => one.Name)]);
            results.Save();
            Console.WriteLine($"{row.Name} / {row.Reference}: {TablePage.Line(measurement)}");
        }
    }
}

using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using ResearchKit.Kernel.Cells;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Writes the results of runs as JUnit XML for continuous integration: a test suite per notebook, a test case
/// per code cell.
/// </summary>
/// <remarks>https://github.com/testmoapp/junitxml</remarks>
internal static class JUnitReport
{
    public static void Write(string path, IReadOnlyList<RunReport> reports)
    {
        var suites = new XElement("testsuites", Counts(reports), reports.Select(Suite));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        AtomicWrite.Text(path, $"""<?xml version="1.0" encoding="utf-8"?>{"\n"}{suites}{"\n"}""");
    }

    private static XElement Suite(RunReport report)
    {
        var suite = new XElement("testsuite", new XAttribute("name", Legal(report.Name)), Counts([report]));
        if (report.Started is { } started)
            suite.Add(new XAttribute("timestamp",
                started.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture)));
        suite.Add(report.Cells.Select(cell => Case(report, cell)));
        if (report.Error is { } outside)
            suite.Add(new XElement("testcase", new XAttribute("classname", Legal(report.Name)),
                new XAttribute("name", "process"), Fault("error", outside)));
        return suite;
    }

    private static XElement Case(RunReport report, CellReport cell) => new(
        "testcase",
        new XAttribute("classname", Legal(report.Name)),
        new XAttribute("name", Legal($"cell {cell.Number} ({cell.Id}): {cell.FirstLine}")),
        new XAttribute("time", Seconds(cell.Seconds)),
        cell.End switch
        {
            CellEnd.Failed => Fault("failure", cell.Error!),
            CellEnd.Crashed => Fault("error", cell.Error!),
            CellEnd.Interrupted => Fault("error", cell.Error!),
            CellEnd.Skipped => new XElement("skipped", new XAttribute("message", "The run ended before this cell.")),
            _ => null,
        });

    private static XElement Fault(string kind, ErrorOutput error) => new(
        kind,
        new XAttribute("type", Legal(error.Name)),
        new XAttribute("message", Legal(TerminalText.Plain(error.Message))),
        Legal(TerminalText.Plain(string.Join('\n', error.Traceback))));

    private static IEnumerable<XAttribute> Counts(IReadOnlyList<RunReport> reports)
    {
        var ends = reports.SelectMany(report => report.Cells.Select(cell => cell.End)).ToList();
        var outside = reports.Count(report => report.Error is not null);
        yield return new XAttribute("tests", ends.Count + outside);
        yield return new XAttribute("failures", ends.Count(end => end == CellEnd.Failed));
        yield return new XAttribute("errors", ends.Count(end => end is CellEnd.Crashed or CellEnd.Interrupted) + outside);
        yield return new XAttribute("skipped", ends.Count(end => end == CellEnd.Skipped));
        yield return new XAttribute("time", Seconds(reports.Sum(report => report.Seconds)));
    }

    private static string Seconds(double seconds) => seconds.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>Replaces the characters that XML cannot represent, even escaped.</summary>
    private static string Legal(string text)
    {
        var legal = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i])) legal.Append(text, i++, 2);
            else legal.Append(XmlConvert.IsXmlChar(text[i]) ? text[i] : '\uFFFD');
        }
        return legal.ToString();
    }
}

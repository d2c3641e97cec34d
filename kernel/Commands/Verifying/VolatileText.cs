using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>
/// Masks text that differs between runs: times, ids, paths, speeds, versions, machine properties.
/// </summary>
internal static partial class VolatileText
{
    private static readonly (Regex Pattern, string Mask)[] Masks =
    [
        (Use(), ""),
        (Guid(), "<id>"),
        (Machine(), "$1  <machine>"),
        (TemporaryPath(), "<path>"),
        (AbsolutePath(), "<path>$1"),
        (IsoDate(), "<date>"),
        (WordDate(), "<date>"),
        (Clock(), "<time>"),
        (RateAfter(), "$1$2<rate>"),
        (Rate(), "<rate>"),
        (Duration(), "<time>"),
        (NamedId(), "$1<id>"),
        (Hexadecimal(), "<id>"),
        (Version(), "<version>"),
        (Bars(), "▁"),
    ];

    public static string Masked(string text) => Masks.Aggregate(text, (masked, mask) => mask.Pattern.Replace(masked, mask.Mask));

    /// <summary>Matmul rate and peak memory in a progress line, which are not always printed.</summary>
    [GeneratedRegex(@"(?: · |[ \t]+)(?:[\d.]+ % of the matrix-product rate|peak [\d.]+ [kMGTP]?B)(?= · |[ \t]|$)",
        RegexOptions.Multiline)]
    private static partial Regex Use();

    [GeneratedRegex(@"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")]
    private static partial Regex Guid();

    /// <summary>
    /// A table row about the machine or the commit: its name, at least two spaces or a colon, and its value.
    /// </summary>
    [GeneratedRegex(
        @"^([ \t]*(?i:commit|system|os|machine|host|host ?name|computer|user|architecture|processor|cpu|gpu|cores|threads|"
        + @"memory|device|runtime))(?:[ \t]{2,}|[ \t]*:[ \t]*)\S.*$", RegexOptions.Multiline)]
    private static partial Regex Machine();

    [GeneratedRegex(
        @"(?:/(?:private/)?(?:tmp|var/tmp|var/folders)/[^\s""'<>:;,)]*)|(?:[A-Za-z]:\\[^\s""'<>;,)]*\\Temp\\[^\s""'<>:;,)]*)")]
    private static partial Regex TemporaryPath();

    /// <summary>
    /// Masks the folder of an absolute path, which depends on the machine, and keeps the file name.
    /// </summary>
    [GeneratedRegex(@"(?<![\w.:/\\<])(?:(?:/[\w.@+~-]+)+|[A-Za-z]:(?:\\[\w.@+~ -]+)+)([/\\][\w.@+~-]+)")]
    private static partial Regex AbsolutePath();

    [GeneratedRegex(
        @"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?Z\b| ?[+-]\d{2}:?\d{2}\b)?)?|\b\d{8}-\d{6}\b|"
        + @"\b\d{1,2}/\d{1,2}/\d{4}\b|\b\d{1,2}\.\d{1,2}\.\d{4}\b")]
    private static partial Regex IsoDate();

    [GeneratedRegex(@"\b(?:\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? (?:\d{1,2},? )?\d{4}\b")]
    private static partial Regex WordDate();

    [GeneratedRegex(@"(?<![\w.:])(?:\d+\.)?\d{1,3}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M\b)?(?![\w:])")]
    private static partial Regex Clock();

    [GeneratedRegex(@"((?:per|a) (?:second|minute)|/ ?s(?:ec)?\b)([ \t]*[:=]?[ \t]{1,})[\d.,]+(?:e[+-]?\d+)?(?: [kMGT])?")]
    private static partial Regex RateAfter();

    [GeneratedRegex(
        @"(?<![\w.])[\d.,]+(?:e[+-]?\d+)?[ \t]*[\p{L}]*[ \t]*(?:[\p{L}]+[ \t]+)?(?:/[ \t]?(?:s|sec|second|min|minute|h|hour|"
        + @"step|it|iter|iteration|batch|epoch|token)\b|per (?:second|minute|hour|step|iteration|batch|epoch)\b|a (?:second|"
        + @"minute)\b)")]
    private static partial Regex Rate();

    [GeneratedRegex(
        @"(?<![\w.])\d[\d,]*(?:\.\d+)?[ \t]?(?:ns|µs|μs|us|ms|s|secs?|seconds?|m(?= ?\d+ ?s)|mins?|minutes?|h|hrs?|hours?|"
        + @"days?|milliseconds?|microseconds?)(?![\w/])")]
    private static partial Regex Duration();

    [GeneratedRegex(@"\b((?:(?:display|element|div|process|thread|run)[ _-]?)?id[""']?[ \t]*[:=#][ \t]*[""']?)[\w-]+",
        RegexOptions.IgnoreCase)]
    private static partial Regex NamedId();

    [GeneratedRegex(
        @"\b0x[0-9a-fA-F]+\b|(?<![\w.])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,128}(?![\w.])|"
        + @"(?<![\w.])(?=[0-9A-F]*[A-F])(?=[0-9A-F]*\d)[0-9A-F]{7,128}(?![\w.])")]
    private static partial Regex Hexadecimal();

    [GeneratedRegex(@"(?<![\w.])v?\d+\.\d+\.\d+(?:\.\d+)?(?:[-+][\w.+<>-]+)?")]
    private static partial Regex Version();

    /// <summary>A sparkline or bar made of block characters.</summary>
    [GeneratedRegex(@"[▁-█▏▎▍▌▋▊▉]{2,}")]
    private static partial Regex Bars();
}

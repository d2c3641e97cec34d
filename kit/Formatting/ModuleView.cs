using ResearchKit.Layers;

namespace ResearchKit.Formatting;

/// <summary>Draws a module as a collapsible tree, with totals at the top.</summary>
internal static class ModuleView
{
    /// <summary>Maximum number of entries in an outline.</summary>
    private const int MostEntries = 600;

    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk-tree details,.rk-leaf{margin-left:14px;border-left:1px solid var(--rk-line);padding-left:8px}
        .rk-leaf{padding-left:22px}
        .rk-tree>details{margin-left:0;border-left:0;padding-left:0}
        .rk-tree .rk-path{user-select:all;cursor:copy;opacity:.65}
        .rk-tree code{background:none;color:inherit;padding:0;font:12px ui-monospace,monospace;overflow-wrap:anywhere}
        </style>
        """);

    public static Html Draw(ModuleSummary module)
    {
        var outline = ModuleOutline.Of(module);
        var left = MostEntries;
        var hints = outline.Hints().Distinct().Take(5)
            .Select(hint => Html.Of($"<div><span class=\"rk-flag rk-bad\">{hint}</span></div>"));
        var tree = Entry(outline, 0, "", ref left);
        var more = left < 0 ? Html.Of($"<div class=\"rk-cap\">… {Numbers.Count(-left)} more are not shown</div>") : Html.Empty;
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{module.Type}</b><span class="rk-num">{Total(module)}</span></div>{hints}
            <div class="rk-tree">{tree}</div>{more}
            """), Style);
    }

    /// <summary>Returns the outline as an indented table of text.</summary>
    public static string Text(ModuleSummary module)
    {
        var outline = ModuleOutline.Of(module);
        var rows = new List<(string Name, string Kind, string Shapes, string Count)>();
        Collect(outline, 0, rows);
        var names = rows.Max(row => row.Name.Length);
        var kinds = rows.Max(row => row.Kind.Length);
        var counts = rows.Max(row => row.Count.Length);
        var lines = rows.Take(MostEntries).Select(row =>
            $"{row.Name.PadRight(names)}  {row.Kind.PadRight(kinds)}  {row.Count.PadLeft(counts)}  {row.Shapes}".TrimEnd());
        var more = rows.Count > MostEntries ? [$"… {Numbers.Count(rows.Count - MostEntries)} more"] : Array.Empty<string>();
        return string.Join('\n', [.. outline.Hints().Distinct().Select(hint => $"! {hint}"),
            $"{module.Type}: {Total(module)}", .. lines, .. more]);
    }

    private static string Total(ModuleSummary module)
    {
        var frozen = module.ParameterCount - module.TrainableCount;
        return $"{Numbers.Count(module.ParameterCount, "parameter")}{(frozen > 0 ? $" ({Numbers.Count(frozen)} frozen)" : "")}"
            + $" · {Numbers.Bytes(module.Bytes)}"
            + (module.Call is null ? "" : $" · {Computed(module)} · activations {Numbers.Bytes(module.ActivationBytes)}");
    }

    /// <summary>Output shape and FLOPs of one of the modules of an entry, if the summary has a forward pass.</summary>
    private static string Computed(ModuleSummary module) => module.Call is not { } call ? ""
        : $"→ [{string.Join(" × ", call.OutputShape)}]{(call.Flops > 0 ? $" {Numbers.Scaled((long)call.Flops)} FLOPs" : "")}";

    /// <param name="entry">The entry.</param>
    /// <param name="depth">Its depth, from 0.</param>
    /// <param name="path">
    /// Its name in the state dict, of a group that of its first module; a click on it selects the whole, to be copied.
    /// </param>
    /// <param name="left">Number of entries that may still be drawn.</param>
    private static Html Entry(ModuleOutline entry, int depth, string path, ref int left)
    {
        if (--left < 0) return Html.Empty;
        var name = entry.Label.Length == 0 ? "model" : entry.Label;
        var line = Html.Of($"""
            <b>{name}</b> <span class="rk-mute">{entry.Kind}</span> {Shapes(entry.First)} <span class="rk-num rk-mute">{Count(entry)}</span>{Path(path)}
            """);
        if (entry.Children.Count == 0) return Html.Of($"<div class=\"rk-leaf\">{line}</div>");
        var below = new List<Html>();
        foreach (var child in entry.Children)
            below.Add(Entry(child, depth + 1, path.Length == 0 ? child.First.Name : $"{path}.{child.First.Name}", ref left));
        return depth < 2 && entry.Alike == 1
            ? Html.Of($"<details open=\"open\"><summary>{line}</summary>{below}</details>")
            : Html.Of($"<details><summary>{line}</summary>{below}</details>");
    }

    private static Html Path(string path) =>
        path.Length == 0 ? Html.Empty : Html.Of($" <code class=\"rk-path\" title=\"click to select the path\">{path}</code>");

    private static Html Own(ModuleTensor own) => own.IsShared
        ? Html.Of($"<code>{own with { IsShared = false }}</code> <span class=\"rk-flag\">shared</span> ")
            : Html.Of($"<code>{own}</code> ");

    private static IEnumerable<Html> Shapes(ModuleSummary module) => module.Own.Select(Own)
        .Concat(module.Buffers.Select(buffer => Html.Of($"<code class=\"rk-mute\">{buffer} buffer</code> ")))
        .Concat(module.Call is null ? [] : [Html.Of($"<code class=\"rk-mute\">{Computed(module)}</code>")]);

    private static string Count(ModuleOutline entry) => entry.Parameters == 0 ? "" : Numbers.Scaled(entry.Parameters);

    private static void Collect(ModuleOutline entry, int depth, List<(string, string, string, string)> rows)
    {
        var shapes = entry.First.Own.Select(own => own.ToString())
            .Concat(entry.First.Buffers.Select(buffer => $"{buffer} buffer"));
        var name = entry.Label.Length == 0 ? "model" : Visible.OneLine(entry.Label);
        var described = $"{string.Join(", ", shapes)}  {Computed(entry.First)}".Trim();
        rows.Add((new string(' ', 2 * depth) + name, entry.Kind, Visible.OneLine(described),
            Numbers.Count(entry.Parameters)));
        foreach (var child in entry.Children) Collect(child, depth + 1, rows);
    }
}

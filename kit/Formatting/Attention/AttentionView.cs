using System.Text.Encodings.Web;
using System.Text.Json;
using ResearchKit.Interpretability;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws attention maps: every head as a small heat map in a grid of layers and heads; a click or Enter
/// enlarges one.
/// </summary>
/// <remarks>
/// Heat maps, enlarging, labels and the strongest links work without a script; the script adds the tokens and
/// weight under the pointer.
/// </remarks>
internal static class AttentionView
{
    private const int MostLinks = 8, FewLinks = 3, ManyHeads = 36;
    private const int MostLines = 64;
    private static readonly Html Style = Html.Style("AttentionView.css");

    /// <summary>The script, written without characters that HTML would have to encode.</summary>
    private static readonly Html Script = Html.Script("AttentionView.js");

    public static Html Draw(AttentionMaps maps)
    {
        if (maps.Patterns.Count == 0)
            return Theme.Output(Html.Of($"<div class=\"rk-cap\">attention: no head was captured</div>"));
        var grids = AttentionGrid.Of(maps.Patterns);
        var shades = AttentionShades.Of(grids);
        var tokens = new TokenLists();
        var layers = grids.GroupBy(grid => grid.Pattern.Layer).Select(layer => Html.Of($"""
            <div class="rk-layer"><span class="rk-cap">layer {layer.Key}</span>
            <div class="rk-many">{layer.Select(grid => Head(grid, shades, tokens, grids.Count)).ToList()}</div></div>
            """)).ToList();
        return Theme.Output(Html.Of($"""
            <div class="rk-attn" data-tokens="{tokens.Json()}" data-highest="{shades.Highest:0.####}">
            <div class="rk-line"><b>attention</b><span>{Sizes(maps, grids)}</span>{shades.Bar()}</div>{layers}{Overview(maps)}
            <output class="rk-tip" hidden="hidden"></output></div>{Script}
            """), Style);
    }

    /// <summary>The image of one head, to stand in a table.</summary>
    public static Html Thumbnail(AttentionPattern pattern, int pixels)
    {
        var grid = AttentionGrid.Of([pattern])[0];
        var best = AttentionGrid.Strongest(pattern, 1).Select(link => $"; strongest {Describe(pattern, link)}");
        return Html.Of($"""
            <span class="rk-map"><img src="{new AttentionShades(1, 16).Picture(grid)}" width="{pixels}" height="{pixels}" alt="attention of layer {pattern.Layer}, head {pattern.Head}{string.Concat(best)}"/></span>
            """);
    }

    private static Html Head(AttentionGrid grid, AttentionShades shades, TokenLists tokens, int heads)
    {
        var pattern = grid.Pattern;
        var name = $"layer {pattern.Layer}, head {pattern.Head}";
        var links = AttentionGrid.Strongest(pattern, heads > ManyHeads ? FewLinks : MostLinks);
        var cell = Math.Clamp(460.0 / Math.Max(1, Math.Max(grid.Rows, grid.Columns)),
            Math.Max(grid.Rows, grid.Columns) > 110 ? 3 : 9, 26);
        var every = (int)Math.Ceiling((heads > ManyHeads ? 14 : 9) / cell);
        var best = links.Count == 0 ? "no weight above 0.01" : $"strongest {Describe(pattern, links[0])}";
        var open = heads == 1 ? Html.Of($" open=\"open\"") : Html.Empty;   // one head is shown large
        return Html.Of($"""
            <details class="rk-head"{open} style="--cell:{cell:0.##}px;--rows:{grid.Rows};--cols:{grid.Columns};--every:{every}">
            <summary aria-label="{name}; {best}; enlarge"><span class="rk-cap">head {pattern.Head}</span>
            <span class="rk-plot"><span class="rk-ys">{Labels(pattern.QueryTokens, grid.Rows, grid.Block, every)}</span>
            <span class="rk-map"><img src="{shades.Picture(grid)}" alt="attention of {name}; {best}"
            data-q="{tokens.Add(pattern.QueryTokens)}" data-k="{tokens.Add(pattern.KeyTokens)}" data-block="{grid.Block}"/></span>
            <span></span><span class="rk-xs">{Labels(pattern.KeyTokens, grid.Columns, grid.Block, every)}</span></span></summary>
            {Table(pattern, links)}</details>
            """);
    }

    /// <summary>All heads at a glance, folded away.</summary>
    private static Html Overview(AttentionMaps maps) => maps.Patterns.Count < 2 ? Html.Empty
        : Html.Of($"<details><summary class=\"rk-cap\">overview of layers and "
            + $"heads</summary>{GridView.Fragment(maps.Overview())}</details>");

    private static string Sizes(AttentionMaps maps, IReadOnlyList<AttentionGrid> grids)
    {
        var layers = maps.Patterns.Select(pattern => pattern.Layer).Distinct().Count();
        var block = grids.Max(grid => grid.Block);
        var parts = new List<string> { Numbers.Count(layers, "layer"), Numbers.Count(maps.Patterns.Count, "head") };
        if (grids.Count < maps.Patterns.Count) parts.Add($"the first {grids.Count} shown");
        if (block > 1) parts.Add($"each cell the largest of {block} × {block} weights");
        if (grids.Any(grid => grid.Keys < grid.Columns))
            parts.Add(FormattableString.Invariant(
                $"the {grids.Min(grid => grid.Keys)} strongest keys of each query; {100 * grids.Average(grid => grid.LeftOut):0.#} % of the attention is left out"));
        parts.Add("rows look, columns are looked at");
        return string.Join(" · ", parts);
    }

    /// <summary>Draws token labels along one side: each, or if cells are smaller than letters one for some of them.</summary>
    private static IEnumerable<Html> Labels(IReadOnlyList<string> tokens, int cells, int block, int every) =>
        Enumerable.Range(0, (cells + every - 1) / every)
            .Select(label => Html.Of($"<i>{AttentionGrid.Token(tokens, label * every * block)}</i>"));

    private static Html Table(AttentionPattern pattern, IReadOnlyList<(int Query, int Key, float Weight)> links)
    {
        if (links.Count == 0) return Html.Empty;
        Html Cell(IReadOnlyList<string> tokens, int index) =>
            Html.Of($"<td>{AttentionGrid.Token(tokens, index)} <span class=\"rk-mute\">{index}</span></td>");
        var rows = links.Select(link => Html.Of($"""
            <tr>{Cell(pattern.QueryTokens, link.Query)}{Cell(pattern.KeyTokens, link.Key)}<td class="rk-right">{link.Weight:0.00}</td></tr>
            """));
        return Html.Of($"""
            <table class="rk-tab"><thead><tr><th>looks</th><th>at</th><th class="rk-right">weight</th></tr></thead>
            <tbody>{rows}</tbody></table>
            """);
    }

    private static string Describe(AttentionPattern pattern, (int Query, int Key, float Weight) link) =>
        $"{AttentionGrid.Token(pattern.QueryTokens, link.Query)} → {AttentionGrid.Token(pattern.KeyTokens, link.Key)} "
            + FormattableString.Invariant($"{link.Weight:0.00}");

    /// <summary>Lists every head on a line of text, with its strongest links.</summary>
    public static string Text(AttentionMaps maps)
    {
        var lines = maps.Patterns.Take(MostLines).Select(pattern =>
        {
            var links = AttentionGrid.Strongest(pattern, 3).Select(link => Describe(pattern, link));
            return $"layer {pattern.Layer} head {pattern.Head}  {string.Join("   ", links)}".TrimEnd();
        });
        var more = maps.Patterns.Count > MostLines ? [$"… {Numbers.Count(maps.Patterns.Count - MostLines, "more head")}"]
            : Array.Empty<string>();
        return string.Join('\n', [maps.ToString(), .. lines, .. more]);
    }

    /// <summary>Lists of token texts that heads share, stored once each.</summary>
    private sealed class TokenLists
    {
        private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        private readonly List<string[]> lists = [];

        public int Add(IReadOnlyList<string> tokens)
        {
            string[] shown = [.. tokens.Select(token => Visible.Token(token))];
            var known = lists.FindIndex(list => list.AsSpan().SequenceEqual(shown));
            if (known >= 0) return known;
            lists.Add(shown);
            return lists.Count - 1;
        }

        /// <summary>
        /// Returns the lists as JSON for an attribute, whose value is HTML-encoded, so that the JSON needs no further
        /// escaping.
        /// </summary>
        public string Json() => JsonSerializer.Serialize(lists, Relaxed);
    }
}

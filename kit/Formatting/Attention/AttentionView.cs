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
    private const int MostLinks = 8;
    private const int MostLines = 64;
    private static readonly Html Style = Html.Style("AttentionView.css");

    /// <summary>The script, written without characters that HTML would have to encode.</summary>
    private static readonly Html Script = Html.Script("AttentionView.js");

    /// <summary>
    /// Palette of one blue from transparent to opaque, so that the page's background shows where the weight is
    /// zero; the last color is for NaN.
    /// </summary>
    private static readonly Color[] Palette =
        [.. Enumerable.Range(0, 255).Select(step => new Color(47, 116, 240, Alpha(step / 254.0))), ColorScale.NaN];

    public static Html Draw(AttentionMaps maps)
    {
        if (maps.Patterns.Count == 0)
            return Theme.Output(Html.Of($"<div class=\"rk-cap\">attention: no head was captured</div>"));
        var grids = AttentionGrid.Of(maps.Patterns);
        var highest = grids.Max(grid => grid.Weights.Where(weight => float.IsFinite(weight) && weight > 0)
            .DefaultIfEmpty(1).Max());
        var tokens = new TokenLists();
        var layers = grids.GroupBy(grid => grid.Pattern.Layer).Select(layer => Html.Of($"""
            <div class="rk-layer"><span class="rk-cap">layer {layer.Key}</span>
            <div class="rk-many">{layer.Select(grid => Head(grid, highest, tokens)).ToList()}</div></div>
            """)).ToList();
        return Theme.Output(Html.Of($"""
            <div class="rk-attn" data-tokens="{tokens.Json()}">
            <div class="rk-line"><b>attention</b><span>{Sizes(maps, grids)}</span>{Bar(highest)}</div>{layers}
            <output class="rk-tip" hidden="hidden"></output></div>{Script}
            """), Style);
    }

    private static Html Head(AttentionGrid grid, float highest, TokenLists tokens)
    {
        var pattern = grid.Pattern;
        var name = $"layer {pattern.Layer}, head {pattern.Head}";
        var links = AttentionGrid.Strongest(pattern, MostLinks);
        var cell = Math.Clamp(460.0 / Math.Max(grid.Rows, grid.Columns), Math.Max(grid.Rows, grid.Columns) > 110 ? 3 : 9, 26);
        var best = links.Count == 0 ? "no weight above 0.01" : $"strongest {Describe(pattern, links[0])}";
        return Html.Of($"""
            <details class="rk-head" style="--cell:{cell:0.##}px;--rows:{grid.Rows};--cols:{grid.Columns}">
            <summary aria-label="{name}; {best}; enlarge"><span class="rk-cap">head {pattern.Head}</span>
            <span class="rk-plot"><span class="rk-ys">{Labels(pattern.QueryTokens, grid.Rows, grid.Block, cell)}</span>
            <span class="rk-map"><img src="{Picture(grid, highest)}" alt="attention of {name}; {best}"
            data-w="{Weights(grid)}" data-q="{tokens.Add(pattern.QueryTokens)}" data-k="{tokens.Add(pattern.KeyTokens)}"
            data-block="{grid.Block}" data-rows="{grid.Rows}" data-cols="{grid.Columns}"/></span>
            <span></span><span class="rk-xs">{Labels(pattern.KeyTokens, grid.Columns, grid.Block, cell)}</span></span></summary>
            {Table(pattern, links)}</details>
            """);
    }

    private static string Sizes(AttentionMaps maps, IReadOnlyList<AttentionGrid> grids)
    {
        var layers = maps.Patterns.Select(pattern => pattern.Layer).Distinct().Count();
        var block = grids.Max(grid => grid.Block);
        var parts = new List<string> { Numbers.Count(layers, "layer"), Numbers.Count(maps.Patterns.Count, "head") };
        if (grids.Count < maps.Patterns.Count) parts.Add($"the first {grids.Count} shown");
        if (block > 1) parts.Add($"each cell the largest of {block} × {block} weights");
        parts.Add("rows look, columns are looked at");
        return string.Join(" · ", parts);
    }

    private static Html Bar(float highest)
    {
        var stops = string.Join(',', Enumerable.Range(0, 9).Select(stop =>
            FormattableString.Invariant($"rgba(47,116,240,{Alpha(stop / 8.0) / 255.0:0.##})")));
        return Html.Of($"""
            <span class="rk-num" role="img" aria-label="shade from 0 to {highest:0.00}">0
            <span class="rk-bar" style="background:linear-gradient(90deg,{stops})"></span> {highest:0.00}</span>
            """);
    }

    /// <summary>
    /// Returns the opacity of a weight; it rises faster at small weights, so that faint attention is visible on
    /// white and on black.
    /// </summary>
    private static byte Alpha(double share) => (byte)Math.Round(255 * Math.Pow(share, 0.7));

    private static string Picture(AttentionGrid grid, float highest) =>
        PngImage.DataUri(PngImage.Indexed(grid.Columns, grid.Rows,
            Array.ConvertAll(grid.Weights, weight => Level(weight / highest)), Palette));

    /// <summary>Encodes the weights for the script: multiples of 1/254, 255 for NaN.</summary>
    private static string Weights(AttentionGrid grid) => Convert.ToBase64String(Array.ConvertAll(grid.Weights, Level));

    private static byte Level(float share) => float.IsNaN(share) ? (byte)255 : (byte)Math.Round(Math.Clamp(share, 0, 1) * 254);

    /// <summary>Draws token labels along one side; if cells are smaller than letters, only some of them.</summary>
    private static IEnumerable<Html> Labels(IReadOnlyList<string> tokens, int cells, int block, double cell)
    {
        var every = (int)Math.Ceiling(9 / cell);
        return Enumerable.Range(0, cells)
            .Select(index => Html.Of($"<i>{(index % every == 0 ? AttentionGrid.Token(tokens, index * block) : "")}</i>"));
    }

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

using System.Globalization;
using ResearchKit.Mermaid.Drawing;
using ResearchKit.Mermaid.Layout;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Pies;

/// <summary>Parses and draws a pie chart, after the keyword <c>pie</c>.</summary>
internal sealed class PieChart
{
    private const int MostSlices = 100;
    private const double Radius = 130;
    private const double LegendLine = 26;
    private static readonly string[] Colors =
    [
        "#3b82f6", "#e07b39", "#2ba58c", "#b560d4", "#d6455d", "#8f8f2a", "#64748b", "#0e9fb8",
    ];

    private readonly List<(TextBlock Label, double Value)> slices = [];
    private bool showsData;

    public static string Html(MermaidReader reader)
    {
        var chart = new PieChart();
        chart.Read(reader);
        return chart.Draw(reader);
    }

    private void Read(MermaidReader reader)
    {
        reader.SkipSpaces();
        showsData = reader.TakeKeyword("showData");
        for (reader.SkipBlank(); !reader.IsAtEnd; reader.SkipBlank())
        {
            if (reader.TakeKeyword("title")) reader.Title = reader.TakeLine();
            else if (reader.TakeKeyword("showData")) showsData = true;
            else if (!reader.TakeCommon()) ReadSlice(reader);
            reader.EndStatement();
        }
        if (slices.Sum(slice => slice.Value) <= 0)
            throw reader.Expected("slices such as \"name\" : 42, at least one of them above 0");
    }

    private void ReadSlice(MermaidReader reader)
    {
        var start = reader.Position;
        if (!reader.Take("\"")) throw reader.Expected("a slice such as \"name\" : 42");
        var label = TextBlock.Of(reader.TakeUntil("\""));
        reader.SkipSpaces();
        if (!reader.Take(":")) throw reader.Expected("\":\" and the slice's value");
        reader.SkipSpaces();
        var at = reader.Position;
        var number = reader.TakeLine();
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            || !double.IsFinite(value))
            throw reader.Expected("a number that is not negative, such as 42.5", at);
        if (slices.Count == MostSlices)
            throw reader.Refused($"The chart has more than {MostSlices} slices; a chart can "
                + "have at most that many.", start);
        slices.Add((label, value));
    }

    private string Draw(MermaidReader reader)
    {
        var svg = new Svg();
        var total = slices.Sum(slice => slice.Value);
        var angle = -Math.PI / 2;
        for (var i = 0; i < slices.Count; i++)
        {
            var share = slices[i].Value / total;
            DrawSlice(svg, angle, share, Colors[i % Colors.Length]);
            angle += share * Math.Tau;
        }
        var legend = DrawLegend(svg, total);
        var bounds = Box.Between(new Point(-Radius - 12, Math.Min(-Radius - 12, legend.Y - 8)),
            new Point(legend.Right + 8, Math.Max(Radius + 12, legend.Bottom + 8)));
        if (reader.Title is { Length: > 0 } words)
        {
            var title = TextBlock.Title(words);
            svg.Text(title, new Point(bounds.Centre.X, bounds.Y - title.Height), "middle");
            var wide = Math.Max(bounds.Width, title.Width + 20);
            bounds = new Box(bounds.Centre.X - (wide / 2), bounds.Y - title.Height - 8, wide, bounds.Height + title.Height + 8);
        }
        var parts = slices.Select(slice => $"{slice.Label.Spoken}: {Percent(slice.Value / total)}");
        return svg.Document(bounds, reader.SpokenTitle ?? reader.Title ?? "Pie chart",
            reader.Description ?? $"Pie chart. {string.Join(", ", parts)}.");
    }

    private static void DrawSlice(Svg svg, double angle, double share, string color)
    {
        if (share <= 0) return;
        var style = $"fill:{color};stroke:currentColor;stroke-width:.8px";
        if (share > 0.9999)
            svg.Path($"M0,{-Radius} A{Radius},{Radius} 0 1 1 0,{Radius} A{Radius},{Radius} 0 1 1 0,{-Radius} Z", "", style);
        else
        {
            var large = share > 0.5 ? 1 : 0;
            svg.Path($"M0,0 L{Svg.Pair(At(angle, Radius))} A{Radius},{Radius} 0 {large} 1 "
                + $"{Svg.Pair(At(angle + (share * Math.Tau), Radius))} Z", "", style);
        }
        if (share >= 0.045)
            svg.Centred(TextBlock.Of(Percent(share), TextBlock.Small, true), At(angle + (share * Math.PI), Radius * 0.72),
                "#fff");
    }

    private Box DrawLegend(Svg svg, double total)
    {
        var labels = slices.Select(slice => slice.Label with
        {
            Lines =
            [
                slice.Label.Spoken + (showsData ? $" [{slice.Value.ToString("0.####", CultureInfo.InvariantCulture)}]" : ""),
            ],
        }).ToList();
        var (x, y) = (Radius + 36, -labels.Count * LegendLine / 2);
        for (var i = 0; i < labels.Count; i++)
        {
            var top = y + (i * LegendLine);
            svg.Rectangle(new Box(x, top + 5, 16, 16), 3, "",
                $"fill:{Colors[i % Colors.Length]};stroke:currentColor;stroke-width:.8px");
            svg.Text(labels[i], new Point(x + 24, top + 3), "start");
        }
        return new Box(x, y, 24 + labels.Max(label => label.Width), labels.Count * LegendLine);
    }

    private static string Percent(double share) =>
        $"{(share * 100).ToString(share < 0.1 ? "0.#" : "0", CultureInfo.InvariantCulture)}%";

    private static Point At(double angle, double distance) => new(distance * Math.Cos(angle), distance * Math.Sin(angle));
}

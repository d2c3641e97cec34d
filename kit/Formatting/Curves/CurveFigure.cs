using System.Runtime.CompilerServices;
using Plotly.NET;
using Plotly.NET.CSharp;
using Chart = Plotly.NET.CSharp.Chart;
using PlotlyColor = Plotly.NET.Color;   // the folder has a Color of its own

namespace ResearchKit.Formatting;

/// <summary>The interactive figure of runs: data and layout as Plotly reads them, for hosts that have Plotly.</summary>
internal static class CurveFigure
{
    public const string MimeType = "application/vnd.plotly.v1+json";

    private const int Height = 340;

    /// <summary>
    /// Whether this process can load what Plotly.NET is made of: a host that brings an older FSharp.Core (as .NET Interactive
    /// does) cannot, and shows the picture alone.
    /// </summary>
    public static bool IsAvailable { get; } = HasFSharp();

    /// <summary>The figure as JSON, with no address of anything in it.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="unit">Unit of the loss.</param>
    /// <param name="lettered">Whether each line has its letter at its end.</param>
    public static string Json(IReadOnlyList<CurveSeries> runs, string unit, bool lettered = false)
    {
        var charts = runs.SelectMany((run, index) => Lines(run, PlotlyColor.fromString(Theme.ColorOf(index))));
        var transparent = PlotlyColor.fromString("rgba(0,0,0,0)");
        var grid = PlotlyColor.fromString("rgba(128,128,128,0.25)");
        var figure = Chart.Combine(charts.DefaultIfEmpty(Line([], "no step yet", transparent, 1, 1, false)))
            .WithXAxisStyle<double, double, string>(TitleText: "step", GridColor: grid, ZeroLine: false)
            .WithYAxisStyle<double, double, string>(TitleText: unit.Length == 0 ? "loss" : $"loss ({Plain(unit)})",
                GridColor: grid, ZeroLine: false);
        return GenericChart.toFigureJson(GenericChart.addLayout(Frame(lettered ? Letters(runs) : []), figure));
    }

    private static bool HasFSharp()
    {
        try
        {
            return Needed() is not null;
        }
        catch (IOException)   // not found, or found in another version
        {
            return false;
        }

        // A method of its own, since the runtime looks for the assembly before it enters it; of the version that Plotly.NET asks
        // for.
        [MethodImpl(MethodImplOptions.NoInlining)]
        static Type Needed() => typeof(Microsoft.FSharp.Core.FSharpOption<int>);
    }

    /// <summary>No ground of its own, and letters of a grey that reads on light and on dark.</summary>
    private static Layout Frame(List<object> letters)
    {
        var layout = new Layout();
        layout.SetProperty("paper_bgcolor", "rgba(0,0,0,0)");
        layout.SetProperty("plot_bgcolor", "rgba(0,0,0,0)");
        layout.SetProperty("autosize", true);
        layout.SetProperty("height", Height);
        layout.SetProperty("font", new Dictionary<string, object> { ["color"] = "#888888" });
        layout.SetProperty("margin", new Dictionary<string, object> { ["l"] = 60, ["r"] = 12, ["t"] = 12, ["b"] = 44 });
        if (letters.Count > 0) layout.SetProperty("annotations", letters);
        return layout;
    }

    /// <summary>The letter of each run, at the end of its line.</summary>
    private static List<object> Letters(IReadOnlyList<CurveSeries> runs) =>
    [
        .. new CurvePicture(runs, "", 0, 720, Height, lettered: true).Ends().Select(end => (object)new Dictionary<string, object>
        {
            ["x"] = end.Point.Step,
            ["y"] = Rounded(end.Point.Loss),
            ["yshift"] = Math.Round(end.Y - end.LetterY),
            ["text"] = CurvePicture.Letter(end.Run),
            ["showarrow"] = false,
            ["xanchor"] = "left",
        }),
    ];

    private static IEnumerable<GenericChart> Lines(CurveSeries run, PlotlyColor color)
    {
        var name = Plain(run.Name);
        if (run.Band.Count > 0) yield return Band(run.Band, $"{name}: lowest to highest", color);
        else yield return Line(run.Raw, $"{name}: each step", color, 1, 0.4, markers: run.Raw.Count == 1);
        yield return Line(run.Smooth, $"{name}: average", color, 2, 1, markers: false);
        if (run.HeldOut.Count > 0) yield return Line(run.HeldOut, $"{name}: held-out", color, 1.5, 1, markers: true);
    }

    private static GenericChart Line(IReadOnlyList<CurvePoint> points, string name, PlotlyColor color, double width,
        double opacity, bool markers) =>
        Chart.Line<int, double, string>(
            points.Select(point => point.Step), points.Select(point => Rounded(point.Loss)), Name: name, ShowMarkers: markers,
            LineColor: color, MarkerColor: color, LineWidth: width, Opacity: opacity,
            LineDash: markers ? StyleParam.DrawingStyle.Dash : StyleParam.DrawingStyle.Solid, UseDefaults: false);

    /// <summary>The ground between the lowest and the highest seed: a line around it, filled.</summary>
    private static GenericChart Band(IReadOnlyList<CurveRange> band, string name, PlotlyColor color) =>
        Chart.Line<int, double, string>(
            band.Select(range => range.Step).Concat(band.Reverse().Select(range => range.Step)),
            band.Select(range => Rounded(range.Low)).Concat(band.Reverse().Select(range => Rounded(range.High))),
            Name: name, Opacity: 0.3, LineColor: color, LineWidth: 0, Fill: StyleParam.Fill.ToSelf,
                FillColor: color, UseDefaults: false);

    /// <summary>Six significant digits: a picture shows no more, and they keep the figure small.</summary>
    private static double Rounded(double value) =>
        double.Parse(value.ToString("G6", System.Globalization.CultureInfo.InvariantCulture),
            System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Plotly reads some tags in its texts; these show as they were written.</summary>
    private static string Plain(string text) =>
        Visible.OneLine(text).Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
}

using System.Runtime.CompilerServices;
using Plotly.NET;
using Plotly.NET.CSharp;
using Chart = Plotly.NET.CSharp.Chart;
using PlotlyColor = Plotly.NET.Color;   // this namespace has its own Color

namespace ResearchKit.Formatting;

/// <summary>
/// Makes the interactive plot of runs: data and layout in Plotly's format, for hosts with Plotly.
/// </summary>
internal static class CurveFigure
{
    public const string MimeType = "application/vnd.plotly.v1+json";

    private const int Height = 340;

    /// <summary>
    /// Whether this process can load the dependencies of Plotly.NET. A host with an older FSharp.Core (such as .NET
    /// Interactive) cannot, and shows only the static plot.
    /// </summary>
    public static bool IsAvailable { get; } = HasFSharp();

    /// <summary>Returns the plot as JSON, without references to external resources.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="unit">Unit of the loss.</param>
    /// <param name="lettered">Whether each line is labelled with a letter at its end.</param>
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
        catch (IOException)   // the assembly is missing or has another version
        {
            return false;
        }

        // A separate method, because the runtime loads the assembly (in the version that Plotly.NET references) when it
        // compiles the method that uses it.
        [MethodImpl(MethodImplOptions.NoInlining)]
        static Type Needed() => typeof(Microsoft.FSharp.Core.FSharpOption<int>);
    }

    /// <summary>
    /// Returns a layout with a transparent background and grey text that is readable on light and dark pages.
    /// </summary>
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

    /// <summary>Returns the letter labels at the ends of the runs' lines.</summary>
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

    /// <summary>Draws the band between the lowest and the highest seed as a filled outline.</summary>
    private static GenericChart Band(IReadOnlyList<CurveRange> band, string name, PlotlyColor color) =>
        Chart.Line<int, double, string>(
            band.Select(range => range.Step).Concat(band.Reverse().Select(range => range.Step)),
            band.Select(range => Rounded(range.Low)).Concat(band.Reverse().Select(range => Rounded(range.High))),
            Name: name, Opacity: 0.3, LineColor: color, LineWidth: 0, Fill: StyleParam.Fill.ToSelf,
                FillColor: color, UseDefaults: false);

    /// <summary>
    /// Rounds to six significant digits, which is as much as a plot shows and keeps the JSON small.
    /// </summary>
    private static double Rounded(double value) =>
        double.Parse(value.ToString("G6", System.Globalization.CultureInfo.InvariantCulture),
            System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Escapes tags that Plotly would interpret in its texts, so that they are shown as written.</summary>
    private static string Plain(string text) =>
        Visible.OneLine(text).Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
}

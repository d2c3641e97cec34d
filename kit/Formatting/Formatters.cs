using Microsoft.DotNet.Interactive.Formatting;
using ResearchKit.Attribution;
using ResearchKit.Checkpoints;
using ResearchKit.Compression;
using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Metrics;
using ResearchKit.Models;
using ResearchKit.Results;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Registers the formatters that show the kit's results, tensors and modules in a notebook.</summary>
public static class Formatters
{
    private static readonly Lock Gate = new();

    /// <summary>
    /// Whether the kit's formatters are registered. The registry is queried each time, since a host may clear it.
    /// </summary>
    private static bool IsInstalled =>
        Formatter.RegisteredFormatters(includeDefaults: false).Any(formatter => formatter.Type == typeof(Html));

    /// <summary>
    /// Registers all formatters, for HTML and for terminals. Calling it again changes only the live display.
    /// </summary>
    /// <param name="live">
    /// The host's live display: a function that shows an object and returns an action that replaces it by another
    /// object. Null keeps the one of an earlier call; without any, live displays write lines of text to the
    /// console.
    /// </param>
    public static void Install(Func<object, Action<object>>? live = null)
    {
        lock (Gate)
        {
            if (live is not null) LiveDisplay.Host = live;
            if (!IsInstalled) RegisterAll();
        }
    }

    /// <summary>Registers the formatters of a type and its derived types.</summary>
    internal static void Register<T>(Func<T, Html> page, Func<T, string> text, Func<T, string>? figure = null) where T : notnull
    {
        Formatter.Register<T>((value, writer) => writer.Write(page(value).ToString()), HtmlFormatter.MimeType);
        Formatter.Register<T>((value, writer) => writer.Write(text(value)), PlainTextFormatter.MimeType);
        if (figure is null || !CurveFigure.IsAvailable)
        {
            Formatter.SetPreferredMimeTypesFor(typeof(T), HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
            return;
        }
        Formatter.Register<T>((value, writer) => writer.Write(figure(value)), CurveFigure.MimeType);
        Formatter.SetPreferredMimeTypesFor(typeof(T), CurveFigure.MimeType, HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
    }

    private static void RegisterAll()
    {
        Register<Html>(markup => markup, markup => markup.ToString());
        Register<Tensor>(TensorView.Draw, TensorText.Write);
        Register<nn.Module>(module => ModuleView.Draw(ModuleSummary.Of(module)),
            module => ModuleView.Text(ModuleSummary.Of(module)));
        Register<ModuleSummary>(ModuleView.Draw, ModuleView.Text);
        Register<AttentionMaps>(AttentionView.Draw, AttentionView.Text);
        Register<AttentionPattern>(head => AttentionView.Draw(new AttentionMaps([head])),
            head => AttentionView.Text(new AttentionMaps([head])));
        Register<Grid>(GridView.Draw, GridView.Text);
        Register<TokenScores>(TokenScoresView.Draw, TokenScoresView.Text);
        Register<Graph>(GraphView.Draw, GraphView.Text);
        Register<PointMap>(PointMapView.Draw, PointMapView.Text);
        Register<Spectrogram>(SpectrogramView.Draw, SpectrogramView.Text);
        Register<DecodedTokens>(DecodedTokensView.Draw, DecodedTokensView.Text);
        Register<WeightSummary>(WeightView.Draw, WeightView.Text);
        Register<AttributionMap>(AttributionView.Draw, AttributionView.Text);
        Register<LeagueTable>(AttributionView.Draw, AttributionView.Text);
        Register<HeadReport>(HeadReportView.Draw, HeadReportView.Text);
        Register<Evidence>(evidence => Theme.Output(EvidenceCaption.Draw(evidence)), evidence =>
            Visible.OneLine(evidence.ToString()));
        Register<TrainingHistory>(run => CurveView.Draw([run]), run => CurveView.Text([run]), run => CurveView.Figure([run]));
        Register<IEnumerable<TrainingHistory>>(runs => CurveView.Draw([.. runs]), runs => CurveView.Text([.. runs]),
            runs => CurveView.Figure([.. runs]));
        Register<RunComparison>(ComparisonView.Draw, ComparisonView.Text, ComparisonView.Figure);
        Register<LearningRateSweep>(SweepView.Draw, SweepView.Text);
        Register<IEnumerable<ModuleNorms>>(modules => NormsView.Draw([.. modules]), modules => NormsView.Text([.. modules]));
        Register<TrainingProgress>(ProgressView.Draw, progress => progress.ToString());
        Register<GeneratedText>(GeneratedTextView.Draw, text => Visible.Lines(text.ToString()));
        Register<ConfusionMatrix>(ConfusionMatrixView.Draw, ConfusionMatrixView.Text);
        Register<ResultTable>(ResultTableView.Draw, table => ResultTableView.Text(table));
        Register<ZooTable>(zoo => ResultTableView.Draw(ZooView.Table(zoo)), zoo => ResultTableView.Text(ZooView.Table(zoo)));
        Register<ZooEntry>(entry => ResultTableView.Draw(ZooView.Table(new ZooTable([entry]))), entry =>
            Visible.OneLine(entry.ToString()));
        Register<LoadReport>(LoadReportView.Draw, report => Visible.Lines(report.ToString()));
        Register<SearchResult>(SearchView.Draw, SearchView.Text);
        Register<QuantizationReport>(QuantizationView.Draw, QuantizationView.Text);
        Register<QuantizationSensitivity>(SensitivityView.Draw, SensitivityView.Text);
        Register<CompressionFrontier>(FrontierView.Draw, FrontierView.Text);
        RecordViews.RegisterAll();
        ExampleViews.RegisterAll();
        TaskViews.RegisterAll();
        ScalingViews.RegisterAll();
        SurrogateViews.RegisterAll();
    }
}

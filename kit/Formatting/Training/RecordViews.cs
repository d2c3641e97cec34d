using System.Reflection;
using System.Text.RegularExpressions;
using ResearchKit.Data;
using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Optimizers;
using ResearchKit.Tensors;
using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>Registers the views of the kit's small records, as tables of two columns.</summary>
internal static partial class RecordViews
{
    private static readonly string[] ProcessRows =
    [
        "ResearchKit", "TorchSharp", "libtorch", ".NET",
        "system", "architecture", "processor", "cores", "threads", "memory", "device",
    ];

    public static void RegisterAll()
    {
        RecordView.Register<TensorStatistics>(_ => "tensor statistics", values =>
        [
            ("elements", values.Count), ("mean", values.Mean), ("standard deviation", values.StandardDeviation),
            ("minimum", values.Minimum),
            ("maximum", values.Maximum), ("zeros", values.Zeros), ("NaN", values.NaN), ("+Inf", values.PositiveInfinity),
            ("−Inf", values.NegativeInfinity),
            ("histogram", Sparkline.Picture(values.Histogram.Counts, "histogram, heights are square roots")),
        ]);
        RecordView.Register<StepReport>(_ => "training step", report =>
        [
            ("step", report.Step), ("of", report.Steps), ("loss", report.Loss), ("held-out loss", report.HeldOutLoss),
            ("learning rate", report.LearningRate), ("gradient norm", report.GradientNorm),
            ("tokens per second", report.TokensPerSecond),
            ("time", report.Elapsed),
        ]);
        RecordView.Register<DataSet>(set => set.Title, set =>
        [
            ("name", set.Name), ("for", set.Task), ("contents", set.Description),
            ("licence", set.Licence), ("source", set.Source),
            .. set.Files.Select(file => ($"{file.Name}: {file.Title}", (object?)$"{Numbers.Count(file.Bytes)} bytes")),
        ]);
        RegisterRuns();
        RecordView.Register<ActivationCache>(_ =>
            "activations", cache => cache.Names.Select(name => (name, (object?)cache[name].ShapeText())));
        RecordView.Register<Batch>(_ =>
            "batch", batch => [("inputs", batch.Inputs.ShapeText()), ("targets", batch.Targets.ShapeText())]);
        RecordView.Register<OverfitCheck>(_ => "one batch by heart", batch =>
        [
            ("learnt", batch.Passed ? "yes" : "no"), ("verdict", batch.Verdict),
            ("first loss", batch.First), ("last loss", batch.Last), ("steps", batch.Steps),
        ]);
        RecordView.Register<ModuleNorms>(norms => norms.Module.Length == 0 ? "norms of the model"
            : $"norms of {norms.Module}", norms =>
            [("weight", norms.Weight), ("gradient", norms.Gradient), ("activation", norms.Activation)]);
        RecordView.Register<Measurement>(_ => "metric", metric => [("value", Measured(metric))]);
        RegisterProperties<TrainerOptions>("trainer");
        RegisterProperties<CheckpointOptions>("checkpoints");
        RegisterProperties<FusedAdamWOptions>("AdamW");
        RegisterProperties<FusedAdamOptions>("Adam");
        RegisterProperties<FusedSgdOptions>("SGD");
        RegisterProperties<LionOptions>("Lion");
        RegisterProperties<MuonOptions>("Muon");
        RegisterProperties<AdafactorOptions>("Adafactor");
        RegisterProperties<LambOptions>("LAMB");
        RegisterProperties<SophiaGOptions>("Sophia-G");
        RegisterProperties<AdanOptions>("Adan");
        RegisterProperties<SoapOptions>("SOAP");
        RegisterProperties<ShampooOptions>("Shampoo");
        RegisterProperties<ScheduleFreeAdamWOptions>("schedule-free AdamW");
        RegisterProperties<ScheduleFreeSgdOptions>("schedule-free SGD");
        RegisterProperties<ProdigyOptions>("Prodigy");
        RegisterProperties<SamOptions>("SAM");
        RegisterProperties<AdamW8bitOptions>("8-bit AdamW");
        RegisterProperties<OneCycle>("one-cycle schedule");
        RegisterProperties<GeneratedToken>("token");
        RegisterProperties<DataFile>("data file");
        RegisterProperties<LoaderPosition>("loader position");
        RegisterModels();
        RegisterMeasures();
    }

    private static void RegisterMeasures()
    {
        RecordView.Register<ProbeResult>(_ => "linear probe", probe =>
        [
            ("accuracy", probe.Accuracy), ("accuracy on the control task", probe.ControlAccuracy),
                ("selectivity", probe.Selectivity),
            ("share of the most frequent class", probe.MajorityAccuracy), ("held-out samples", probe.Samples),
                ("classes", probe.Classes),
        ]);
        RecordView.Register<CcaResult>(_ => "canonical correlations", result =>
        [
            ("mean", result.Mean), ("weighted by directions (PWCCA)", result.Pwcca),
                ("directions of the first", result.XFeatures),
            ("directions of the second", result.YFeatures), ("correlations", result.Coefficients),
        ]);
        RegisterProperties<HeadScores>("head");
        RecordView.Register<HeadWeights>(head => $"head {head.Layer}.{head.Head}", head =>
        [
            ("module", head.Module), ("query", head.Query.ShapeText()), ("key", head.Key.ShapeText()),
                ("value", head.Value.ShapeText()),
            ("output", head.Output.ShapeText()),
        ]);
    }

    private static void RegisterRuns()
    {
        RecordView.Register<RunRecorder>(run => Title(run.Run), run => [.. Rows(run.Run, run.Process), .. Rows(run.Process)]);
        RecordView.Register<TrainingRun>(Title, run =>
            run.Process is { } own ? [.. Rows(run, own), .. Rows(own)] : Rows(run, null));
        RecordView.Register<RunProcess>(_ => "process", process => [("commit", process.Commit), .. Rows(process)]);
        RecordView.Register<RunRecord>(Title, record =>
        [
            ("started", record.Started.ToString("u", null)), ("status", record.Status), ("commit", record.Process.Commit),
            .. from run in record.Runs
               from metric in run.Metrics
               select ($"{run.Name}: {metric.Key}", (object?)Measured(metric.Value)),
            .. Rows(record.Process),
        ]);
        RegisterProperties<RunCell>("cell");
        RegisterProperties<RunError>("error");
    }

    private static string Title(TrainingRun run) => $"run of {run.Name}";

    private static string Title(RunRecord record) =>
        $"record of {Path.GetFileNameWithoutExtension(record.Notebook) ?? "a program"}";

    private static IEnumerable<(string Name, object? Value)> Rows(TrainingRun run, RunProcess? process) =>
    [
        ("started", run.Started.ToString("u", null)), ("seed", $"{run.Seed}"), ("commit", process?.Commit),
        .. run.Settings.Select(setting => (Words(setting.Key), (object?)setting.Value)),
        .. run.Metrics.Select(metric => (metric.Key, (object?)Measured(metric.Value))),
    ];

    /// <summary>Versions, then the machine, each in an order of its own.</summary>
    private static IEnumerable<(string Name, object? Value)> Rows(RunProcess process) =>
    [
        // unknown ones last
        .. process.Packages.Concat(process.Machine).OrderBy(entry => (uint)Array.IndexOf(ProcessRows, entry.Key))
            .Select(entry => (entry.Key, (object?)entry.Value)),
        .. process.Portable ? [("portable", "true")] : Array.Empty<(string, object?)>(),
    ];

    /// <summary>Registers the views of configurations and options.</summary>
    private static void RegisterModels()
    {
        RegisterProperties<GptConfig>("GPT");
        RegisterProperties<LlamaConfig>("Llama");
        RegisterProperties<BertConfig>("BERT");
        RegisterProperties<T5Config>("T5");
        RegisterProperties<VitConfig>("ViT");
        RegisterProperties<VggConfig>("VGG");
        RegisterProperties<ResNetConfig>("ResNet");
        RegisterProperties<GoogLeNetConfig>("GoogLeNet");
        RegisterProperties<InceptionV3Config>("Inception v3");
        RegisterProperties<RecurrentClassifierConfig>("recurrent classifier");
        RegisterProperties<RecurrentLanguageModelConfig>("recurrent language model");
        RegisterProperties<TokenMixingConfig>("token-mixing model");
        RegisterProperties<TransformerClassifierConfig>("transformer classifier");
        RegisterProperties<SamplingOptions>("sampling");
        RegisterProperties<BeamOptions>("beam search");
        RegisterProperties<MelOptions>("mel features");
        RegisterProperties<WordPieceOptions>("WordPiece");
    }

    /// <summary>Registers a view that lists the properties of a record.</summary>
    private static void RegisterProperties<T>(string title) where T : notnull
    {
        var properties = typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => !typeof(Delegate).IsAssignableFrom(property.PropertyType)).ToList();
        RecordView.Register<T>(_ => title,
            record => properties.Select(property => (Words(property.Name), property.GetValue(record))));
    }

    private static string Measured(Measurement metric) => $"{Numbers.Short(metric.Value)} {metric.Unit}";

    /// <summary>Splits an identifier into words: <c>ContextLength</c> to "context length".</summary>
    internal static string Words(string name) =>
        WordStart().Replace(name, match => $" {match.Value.ToLowerInvariant()}").Trim().ToLowerInvariant();

    [GeneratedRegex("(?<!^)(?<![A-Z])[A-Z]")]
    private static partial Regex WordStart();
}

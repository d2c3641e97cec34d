using System.Globalization;
using ResearchKit.Tests.Kernel;
using ResearchKit.Tests.Packaging;

namespace ResearchKit.Tests.Distributed;

/// <summary>Runs of one small study, in a folder of their own: a GPT by SGD on a batch of 8, which the processes share.</summary>
internal sealed class MpiRuns : IDisposable
{
    /// <summary>A last cell that trains to the end and writes what <see cref="Weights"/> reads.</summary>
    public const string Sums = """
        foreach (var report in trainer.Run()) { }
        if (workers.Rank == 0) System.IO.File.WriteAllText(place + ".weights", string.Join(' ', model.parameters().Select(parameter => parameter.detach().@double().square().sum().item<double>().ToString("R"))));
        """;

    private const string Study = """
        using ResearchKit.Data;
        using ResearchKit.Distributed;
        using ResearchKit.Models;
        using ResearchKit.Native;
        using ResearchKit.Optimizers;
        using ResearchKit.Training;
        using static TorchSharp.torch;
        var workers = MpiWorkers.Start();
        Compute.Seed(3);
        Compute.Threads = 1;
        var text = Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61)).ToArray();
        var model = new Gpt(GptConfig.Nano with { Dropout = dropout });
        var trainer = new Trainer(model, Losses.CrossEntropy,
            new BatchLoader(new TextWindows(text, 16), 8 / workers.WorldSize, share: workers.Rank, shares: workers.WorldSize), new TrainerOptions
            {
                Steps = 8, Schedule = _ => 1e-2, Workers = workers, Optimizer = parameters => new FusedSgd(parameters, new FusedSgdOptions()),
                Checkpoints = new(place, 2) { Keep = 3 },
            });
        if (System.IO.Directory.Exists(place)) trainer.Resume(place);
        """;

    private readonly TemporaryFolder folder = new();

    public string PathTo(string name) => folder.PathTo(name);

    public void Dispose() => folder.Dispose();

    /// <summary>Runs the study alone.</summary>
    /// <param name="name">Of its folder, which a run may resume.</param>
    /// <param name="last">The cell after the study.</param>
    public Task<(int Code, string Said)> OneAsync(string name, string last) =>
        DotNet.RunAsync("dotnet", folder.Path, Command(name, last, dropout: 0));

    /// <summary>Runs the study in two processes.</summary>
    /// <inheritdoc cref="OneAsync"/>
    public Task<(int Code, string Said)> TwoAsync(string name, string last, double dropout = 0) =>
        DotNet.RunAsync("mpirun", folder.Path,
        ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", "2", "dotnet", .. Command(name, last, dropout)],
            ("OMP_NUM_THREADS", "1"));

    /// <summary>The sum of squares of each parameter.</summary>
    public double[] Weights(string name) =>
        [.. File.ReadAllText(folder.PathTo($"{name}/steps.weights")).Split(' ')
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture))];

    /// <summary>What lies in a folder.</summary>
    public string[] Names(string place) =>
        [.. Directory.EnumerateFileSystemEntries(folder.PathTo(place)).Select(path => Path.GetFileName(path)!).Order()];

    private string[] Command(string name, string last, double dropout)
    {
        var notebook = folder.File("run.ipynb", TestNotebook.Of(
            TestNotebook.Code("var place = \"\"; var dropout = 0.0;", "parameters"), TestNotebook.Code(Study),
                TestNotebook.Code(last)));
        return [Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll"), "run", notebook, "-p",
            $"place={folder.PathTo($"{name}/steps")}",
            "-p", string.Create(CultureInfo.InvariantCulture, $"dropout={dropout}"), "--output", folder.PathTo($"{name}/out")];
    }
}

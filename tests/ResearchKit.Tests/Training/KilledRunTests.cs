using System.Diagnostics;
using ResearchKit.Tests.Kernel;
using ResearchKit.Tests.Packaging;

namespace ResearchKit.Tests.Training;

/// <summary>A run in a process of its own, killed again and again wherever it stands.</summary>
[Collection(OtherPrograms.Name)]
[Trait("Tier", "slow")]
public sealed class KilledRunTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("killed-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public Task A_run_killed_at_any_moment_and_resumed_is_bit_identical() => CheckAsync(lives: 1);

    [Fact]
    [Trait("Length", "long")]
    public Task A_run_killed_and_resumed_many_times_is_bit_identical() => CheckAsync(lives: 12);

    private async Task CheckAsync(int lives)
    {
        var notebook = Path.Combine(folder, "run.ipynb");
        await File.WriteAllTextAsync(notebook, TestNotebook.Of(TestNotebook.Code("""
            var place = "";
            """, "parameters"), TestNotebook.Code("""
            using ResearchKit.Data;
            using ResearchKit.Models;
            using ResearchKit.Native;
            using ResearchKit.Training;
            using static TorchSharp.torch;
            Compute.Seed(3);
            Compute.Threads = 1;
            var text = Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61)).ToArray();
            var model = new Gpt(GptConfig.Nano with { Dropout = 0.2 });
            var trainer = new Trainer(model, Losses.CrossEntropy, new BatchLoader(new TextWindows(text, 16), 4), new TrainerOptions
            {
                Steps = 60, EvaluateEvery = 20, AverageDecay = 0.9, Checkpoints = new(place, 1) { Keep = 2 },
            }, new TextWindows(text, 16, 5));
            if (System.IO.Directory.Exists(place) && System.IO.Directory.GetDirectories(place, "step-*").Any(one => !one.EndsWith(".tmp"))) trainer.Resume(place);
            foreach (var report in trainer.Run()) { }
            var bytes = model.parameters().SelectMany(parameter => parameter.bytes.ToArray()).ToArray();
            System.IO.File.WriteAllText(place + ".sha", Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes)));
            """)));
        var random = new Random(1);
        async Task<int> RunAsync(string place, TimeSpan? patience)
        {
            var start = new ProcessStartInfo("dotnet",
                [Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll"), "run", notebook, "-p", $"place={place}",
                "--output", Path.Combine(folder, "out")])
            { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
            DotNet.SameKernels(start);
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (patience is { } time)
            {
                var before = Newest(place);
                while (!process.HasExited && Newest(place) == before) await Task.Delay(5);
                await Task.Delay(time);
                process.Kill(entireProcessTree: true);
            }
            await process.WaitForExitAsync();
            var said = await output + await error;
            if (patience is null) Assert.True(process.ExitCode == 0, said);
            return process.ExitCode;
        }
        var (whole, killed) = (Path.Combine(folder, "whole"), Path.Combine(folder, "parts"));
        await RunAsync(whole, null);
        var deaths = 0;
        for (var life = 0; life < lives; life++)
            if (await RunAsync(killed, TimeSpan.FromMilliseconds(random.Next(250))) != 0) deaths++;
        Assert.InRange(deaths, 1, lives);
        await RunAsync(killed, null);
        Assert.Equal(await File.ReadAllTextAsync(whole + ".sha"), await File.ReadAllTextAsync(killed + ".sha"));
    }

    private static string? Newest(string place) => Directory.Exists(place)
        ? Directory.GetDirectories(place, "step-*").Where(one => !one.EndsWith(".tmp", StringComparison.Ordinal))
            .Max(StringComparer.Ordinal) : null;
}

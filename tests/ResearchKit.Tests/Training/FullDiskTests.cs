using ResearchKit.Tests.Kernel;
using ResearchKit.Tests.Packaging;

namespace ResearchKit.Tests.Training;

/// <summary>A run whose disk is full: a file system in memory of two megabytes, which only the run's own process sees.</summary>
[Collection(OtherPrograms.Name)]
[Trait("Tier", "slow")]
public sealed class FullDiskTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public async Task A_full_disk_loses_no_checkpoint_and_no_metric_and_the_run_can_resume()
    {
        var place = Directory.CreateDirectory(folder.PathTo("disk")).FullName;
        var mounts = $"mount -t tmpfs -o size=2m none '{place}'";
        var (may, _) = await UnshareAsync(mounts);
        Skip.IfNot(may == 0, "This system lets nobody mount a file system of his own.");
        var notebook = folder.File("full.ipynb", TestNotebook.Of(TestNotebook.Code("""
            var place = "";
            """, "parameters"), TestNotebook.Code("""
            using System.IO;
            using ResearchKit.Data;
            using ResearchKit.Models;
            using ResearchKit.Native;
            using ResearchKit.Training;
            using static TorchSharp.torch;
            var text = Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61)).ToArray();
            Gpt Model() { Compute.Seed(3); return new Gpt(GptConfig.Nano with { Dropout = 0.1 }); }
            Trainer Make(Gpt model, CheckpointOptions at, int steps = 8)
            {
                Compute.Seed(4);
                return new Trainer(model, Losses.CrossEntropy, new BatchLoader(new TextWindows(text, 16), 4), new TrainerOptions { Steps = steps, Schedule = _ => 1e-3, EvaluateEvery = null, Checkpoints = at });
            }
            void Must(bool holds, string what) { if (!holds) throw new Exception(what); }
            string[] Names() => Directory.GetDirectories(steps).Select(Path.GetFileName).Order().ToArray();
            string Bytes(Gpt model) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(model.parameters().SelectMany(one => one.bytes.ToArray()).ToArray()));
            var (steps, metrics, filler) = (Path.Combine(place, "steps"), Path.Combine(place, "metrics.jsonl"), Path.Combine(place, "filler"));
            void Fill(long left)
            {
                using var file = File.Create(filler);
                for (var chunk = new byte[4096]; new DriveInfo(place).AvailableFreeSpace > left;) file.Write(chunk);
            }
            """), TestNotebook.Code("""
            var whole = Model();
            foreach (var report in Make(whole, null).Run()) { }

            var model = Model();
            var trainer = Make(model, new CheckpointOptions(steps, 2));
            var said = "";
            try
            {
                foreach (var report in trainer.Run().WriteTo(metrics))
                    if (report.Step == 3) Fill(left: 150_000);   // room for the model alone
            }
            catch (IOException error) { said = error.Message; }
            Must(said.Contains("The checkpoint of step 4 could not be written") && said.Contains("earlier checkpoints are as they were"), said);
            Must(Names() is ["step-00000002"], string.Join(' ', Names()));
            Must(trainer.Step == 4, $"step {trainer.Step}");
            Must(MetricLines.Read(metrics).Select(one => one.Step).SequenceEqual([1, 2, 3]), File.ReadAllText(metrics));

            File.Delete(filler);
            foreach (var report in trainer.Run()) { }
            Must(Bytes(model) == Bytes(whole), "The run that went on has other weights.");

            said = "";
            var (lines, other) = (0, Path.Combine(place, "other.jsonl"));
            try
            {
                foreach (var report in Make(Model(), null, steps: 60).Run().WriteTo(other))
                    if (++lines == 1) Fill(left: 0);   // what is left is the rest of the file's page
            }
            catch (IOException error) { said = error.Message; }
            Must(said.Contains(other) && lines is > 1 and < 60, $"{lines} {said}");
            Must(MetricLines.Read(other).Count == lines && File.ReadAllText(other).EndsWith('\n'), File.ReadAllText(other));

            File.Delete(filler);
            var again = Model();
            var resumed = Make(again, null);
            resumed.Resume(Path.Combine(steps, "step-00000002"));
            foreach (var report in resumed.Run()) { }
            Must(Bytes(again) == Bytes(whole), "The run that was resumed has other weights.");
            """)));
        var (code, said) = await UnshareAsync($"{mounts} && exec dotnet "
            + $"'{Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll")}' run '{notebook}' -p 'place={place}' "
            + $"--output '{folder.PathTo("out")}'");
        Assert.True(code == 0, said);
    }

    private Task<(int Code, string Said)> UnshareAsync(string command) => OperatingSystem.IsLinux()
        ? DotNet.RunAsync("unshare", folder.Path, ["--map-root-user", "--mount", "sh", "-c", command]) : Task.FromResult((1, ""));
}

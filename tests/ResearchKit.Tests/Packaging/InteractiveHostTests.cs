using ResearchKit.Tests.Kernel;

namespace ResearchKit.Tests.Packaging;

/// <summary>The package in the real .NET Interactive.</summary>
[Collection(OtherPrograms.Name)]
public sealed class InteractiveHostTests : IDisposable
{
    /// <summary>Names a program that is installed already.</summary>
    private const string Variable = "RESEARCHKIT_DOTNET_INTERACTIVE";
    private const string Package = "Microsoft.dotnet-interactive", Version = "1.0.712001";
    private readonly TemporaryFolder folder = new();
    private readonly string version = $"0.0.0-test.{Guid.NewGuid():N}"[..24];   // never one that a cache of packages holds

    public void Dispose()
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        if (Path.Combine(cache, "researchkit", version) is var made && Directory.Exists(made))
            Directory.Delete(made, recursive: true);
        folder.Dispose();
    }

    [SkippableFact]
    public async Task Formatters_and_live_training_work_in_NET_Interactive()
    {
        var program = await ProgramAsync();
        await DotNet.PackAsync("kit", folder.Path, "--no-build", $"-p:PackageVersion={version}");
        using var host = new InteractiveHost(program, folder.Path);

        var added = await host.RunAsync($"#i \"nuget:{folder.Path}\"\n#r \"nuget: ResearchKit, {version}\"");
        Assert.True(added[^1].Type == "CommandSucceeded", added[^1].ToString());
        Assert.DoesNotContain(added, told =>
            told.Type is "StandardErrorValueProduced" or "ErrorProduced" or "ReturnValueProduced");

        var drawn = await host.RunAsync("""
            using ResearchKit.Formatting;
            using ResearchKit.Interpretability;
            using ResearchKit.Models;
            using ResearchKit.Training;
            using TorchSharp;
            display(torch.arange(6).reshape(2, 3));
            display(new Gpt(GptConfig.Nano).Attention(torch.arange(4).unsqueeze(0), ["a", "b", "c", "d"]));
            StepReport Step(int i) => new(i, 4, 1.0 / i, 1e-3, 1, 1000, TimeSpan.FromSeconds(i));
            IEnumerable<StepReport> Run() { for (var i = 1; i <= 4; i++) { System.Threading.Thread.Sleep(300); yield return Step(i); } }
            new TrainingHistory("a run", [Step(1), Step(2)], "nats")
            """);
        Assert.True(drawn[^1].Type == "CommandSucceeded", drawn[^1].ToString());
        var pictures = drawn.Where(told => told.Type is "DisplayedValueProduced" or "ReturnValueProduced").ToList();
        Assert.Equal(3, pictures.Count);
        Assert.All(pictures, picture => Assert.Contains("class=\"rk", picture.Shown("text/html"), StringComparison.Ordinal));
        Assert.Contains("int64", pictures[0].Shown("text/plain"), StringComparison.Ordinal);
        Assert.Contains("<svg", pictures[2].Shown("text/html"), StringComparison.Ordinal);

        var followed = await host.RunAsync("foreach (var report in Run().Watch(\"a run\")) { }");
        Assert.True(followed[^1].Type == "CommandSucceeded", followed[^1].ToString());
        var first = Assert.Single(followed, told => told.Type == "DisplayedValueProduced");
        var updates = followed.Where(told => told.Type == "DisplayedValueUpdated").ToList();
        Assert.InRange(updates.Count, 2, 5);
        Assert.All(updates, update => Assert.Equal((string?)first.Content["valueId"], (string?)update.Content["valueId"]));
        Assert.Contains("done in", updates[^1].Shown("text/plain"), StringComparison.Ordinal);
        Assert.Contains("class=\"rk", updates[^1].Shown("text/html"), StringComparison.Ordinal);
    }

    private async Task<string> ProgramAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named) return named;
        var tools = folder.PathTo("tool");
        var (code, said) = await DotNet.RunAsync("dotnet", folder.Path,
            ["tool", "install", Package, "--version", Version, "--tool-path", tools]);
        Skip.If(code != 0, $"{Package} {Version} could not be installed, and {Variable} names none: {said}");
        return Path.Combine(tools, "dotnet-interactive");
    }
}

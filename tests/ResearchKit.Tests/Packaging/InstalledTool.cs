using ResearchKit.Tests.Kernel;

namespace ResearchKit.Tests.Packaging;

/// <summary>The tool, packed and installed once for the tests that use it.</summary>
public sealed class InstalledTool : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string version = $"0.0.0-test.{Guid.NewGuid():N}"[..24];   // never one that a cache of packages holds

    /// <summary>The packages that were made.</summary>
    public string Feed { get; private set; } = "";

    /// <summary>The command.</summary>
    public string Program => folder.PathTo(Path.Combine("tool", OperatingSystem.IsWindows() ? "researchkit.exe" : "researchkit"));

    public async Task InitializeAsync()
    {
        Feed = Directory.CreateDirectory(folder.PathTo("feed")).FullName;
        await DotNet.PackAsync("kernel", Feed, $"-p:PackageVersion={version}", "-m:1");
        var (code, said) = await DotNet.RunAsync("dotnet", folder.Path,
            ["tool", "install", "ResearchKit.Kernel", "--version", version, "--add-source", Feed, "--tool-path",
                folder.PathTo("tool")]);
        Assert.True(code == 0, said);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => folder.Dispose();
}

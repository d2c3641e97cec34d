using ResearchKit.Kernel.Commands;
using ResearchKit.Native;
using ResearchKit.Tests.Packaging;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary><c>researchkit doctor</c>, and the option <c>--kernels</c> of run and verify.</summary>
public sealed class DoctorCommandTests : IDisposable
{
    private readonly StringWriter output = new(), error = new();

    public void Dispose()
    {
        output.Dispose();
        error.Dispose();
    }

    [Fact]
    public async Task Doctor_lists_the_machine_the_kernels_the_workarounds_and_other_programs()
    {
        Assert.Equal(0, await CommandLine.InvokeAsync(["doctor"], output, error));
        var text = output.ToString();
        foreach (var section in new[] { "ResearchKit", "Machine", "Kernels", "Workarounds", "Jupyter kernels", "Other programs" })
            Assert.Contains($"{section}{Environment.NewLine}  ", text, StringComparison.Ordinal);
        foreach (var choice in Compute.Kernels.Choices) Assert.Contains($"{choice.Operation} ", text, StringComparison.Ordinal);
        foreach (var workaround in Workarounds.All) Assert.Contains(workaround.Reason, text, StringComparison.Ordinal);
        Assert.Contains(NativeLibraries.TorchPath, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_reports_a_missing_libtorch_and_still_lists_the_rest()
    {
        var folder = Directory.CreateTempSubdirectory("no-libtorch-").FullName;
        try
        {
            foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory)
                .Where(file => Path.GetExtension(file) is ".dll" or ".json"))
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            var (code, said) = await DotNet.RunAsync("dotnet", folder,
                [Path.Combine(folder, "ResearchKit.Kernel.dll"), "doctor"]);
            Assert.Equal(2, code);
            Assert.Contains("libtorch      The native library", said, StringComparison.Ordinal);
            foreach (var section in new[] { "ResearchKit", "Machine", "Jupyter kernels", "Other programs" })
                Assert.Contains(section, said, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("banana")]
    [InlineData("linear-256=banana")]
    public async Task An_unknown_kernel_is_refused_with_one_sentence(string kernels)
    {
        var notebook = Path.Combine(Repository.PathTo("notebooks"), "01-train-a-gpt.ipynb");
        var before = Environment.GetEnvironmentVariable("RESEARCHKIT_KERNELS");
        try
        {
            Assert.Equal(2, await CommandLine.InvokeAsync(["run", notebook, "--kernels", kernels], output, error));
            Assert.StartsWith($"--kernels {kernels}: ", error.ToString(), StringComparison.Ordinal);
            Assert.Single(error.ToString().Trim().Split('\n'));
        }
        finally
        {
            Environment.SetEnvironmentVariable("RESEARCHKIT_KERNELS", before);
        }
    }
}

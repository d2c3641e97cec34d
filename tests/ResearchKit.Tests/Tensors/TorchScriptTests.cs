using ResearchKit.Tensors;

namespace ResearchKit.Tests.Tensors;

public sealed class TorchScriptTests
{
    /// <summary>In a process of their own: libtorch may end the process for one that does not compile.</summary>
    [Fact]
    public void Every_embedded_file_compiles()
    {
        var probe = ProbeProcess.Run("torch-scripts");
        var tried = probe.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(probe.ExitCode == 0, $"{tried.LastOrDefault()} does not compile: {probe.Errors}");
        Assert.Equal(TorchScript.Files, tried);
    }

    /// <summary>Resources are found by name, which must match the file that declares them.</summary>
    [Fact]
    public void Every_file_is_embedded_and_used_by_the_class_of_the_same_name()
    {
        var sources = Directory.EnumerateFiles(Repository.PathTo("kit"), "*.py", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}",
                StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(sources);
        Assert.Equal(sources.Select(Path.GetFileName).Order(StringComparer.Ordinal),
            TorchScript.Files.Order(StringComparer.Ordinal));
        Assert.All(sources, source =>
            Assert.Contains($"new(\"{Path.GetFileName(source)}\")", File.ReadAllText(Path.ChangeExtension(source, ".cs")),
            StringComparison.Ordinal));
    }

    [Fact]
    public void The_error_names_a_missing_file() =>
        Assert.Contains("Missing.py", Assert.Throws<FileNotFoundException>(() => TorchScript.Compile("Missing.py")).Message,
            StringComparison.Ordinal);
}

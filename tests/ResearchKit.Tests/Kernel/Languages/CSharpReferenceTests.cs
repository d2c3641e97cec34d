using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Scripting;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Languages.CSharp;
using ResearchKit.Kernel.Languages.CSharp.Services;

namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>Which references each cell hands to the compiler, which adds them to those of the cells before it.</summary>
public sealed class CSharpReferenceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_cell_passes_only_new_references_to_the_compiler()
    {
        var local = CompileLocal();
        var language = new CSharpLanguage(folder.Path);
        await RunAsync(language, "var x = 1;");
        for (var i = 0; i < 5; i++) await RunAsync(language, $"x + {i}");
        await Assert.ThrowsAsync<CellException>(() => RunAsync(language, $"#r \"{local}\"\nnothing"));
        Assert.Equal(9, (await RunAsync(language, "Local.Here.Nine")).Value);
        await language.SetAsync("y", 2, CancellationToken.None);
        Assert.Equal(11, (await RunAsync(language, "Local.Here.Nine + y")).Value);

        var counts = Handed(language.Last!);
        Assert.InRange(counts[0], 2, int.MaxValue);
        Assert.Equal([0, 0, 0, 0, 0, 1, 0, 0], counts[1..]);
    }

    [Fact]
    public void A_cell_of_the_editor_workspace_has_only_new_references()
    {
        var workspace = new CellWorkspace();
        workspace.Add("var x = 1;", []);
        workspace.Add("var y = Local.Here.Nine;", [MetadataReference.CreateFromFile(folder.PathTo(CompileLocal()))]);
        for (var i = 0; i < 5; i++) workspace.Add($"x + {i}", []);
        var counts = workspace.With("y").Project.Solution.Projects.Select(project => project.MetadataReferences.Count).Order();
        Assert.Equal([0, 0, 0, 0, 0, 0, 1, CSharpDefaults.References.Count], counts);
    }

    private string CompileLocal()
    {
        const string Name = "Local.dll";
        CSharpCompilation.Create("Local",
            [CSharpSyntaxTree.ParseText("namespace Local; public static class Here { public static int Nine => 9; }")],
            [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)).Emit(folder.PathTo(Name));
        return Name;
    }

    private static Task<CellValue> RunAsync(CSharpLanguage language, string code) =>
        language.RunAsync(code, new CellContext("cell", _ => { }, CancellationToken.None)
        {
            Run = start => start().GetAwaiter().GetResult(),
        });

    /// <summary>The number of references that each compiled cell was given, first to last.</summary>
    private static List<int> Handed(Script last)
    {
        var counts = new List<int>();
        for (var script = last; script is not null; script = script.Previous)
            counts.Insert(0, script.GetCompilation().ExternalReferences.Length);
        return counts;
    }
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>
/// A session with an assembly of another Roslyn, as packages bring it. It needs a process in which no test has used Roslyn's yet.
/// </summary>
internal static class OtherRoslynProbe
{
    /// <summary>The argument that runs it.</summary>
    public const string Name = "other-roslyn";

    private const string Assembly = "Microsoft.CodeAnalysis.VisualBasic.Workspaces";

    /// <summary>Whether completion, documentation and pages work.</summary>
    public static bool Run() => RunAsync().GetAwaiter().GetResult();

    private static async Task<bool> RunAsync()
    {
        using var folder = new TemporaryFolder();
        WriteAssembly(folder.PathTo($"{Assembly}.dll"));
        using var session = new Session(folder.Path);
        var outcome = await session.ExecuteAsync($"#r \"{Assembly}.dll\"\nvar greeting = \"hello\";", 1, _ => { });
        var found = await session.CodeServices.CompleteAsync("greeting.Len", 12, CancellationToken.None);
        var told = await session.CodeServices.InspectAsync("Math.Clamp(1, 2, 3)", 6, CancellationToken.None);
        var notebook = NotebookDocument.Parse(TestNotebook.Of(TestNotebook.Code("var x = 1;")), "test");
        var page = await HtmlPage.RenderAsync(notebook, "test", folder.Path);
        return outcome.Error is null && found.Items.Any(item => item.Text == "Length")
            && told!.Text.Contains("Clamp", StringComparison.Ordinal)
            && page.Contains("<span class=\"c-k\">var</span>", StringComparison.Ordinal);
    }

    /// <summary>Its types do not fit the assemblies that are loaded: here their base is missing.</summary>
    private static void WriteAssembly(string path)
    {
        MetadataReference framework = MetadataReference.CreateFromFile(typeof(object).Assembly.Location);
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary);
        var text = CSharpSyntaxTree.ParseText("public class Base;");
        var missing = CSharpCompilation.Create("Missing", [text], [framework], options);
        CSharpCompilation.Create(Assembly, [CSharpSyntaxTree.ParseText("public class Service : Base;")],
            [framework, missing.ToMetadataReference()], options).Emit(path);
    }
}

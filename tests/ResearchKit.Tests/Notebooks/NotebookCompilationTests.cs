using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Training;

namespace ResearchKit.Tests.Notebooks;

/// <summary>The C# cells of notebooks that only the long tests run, compiled one after the other: a check in seconds.</summary>
public sealed partial class NotebookCompilationTests
{
    private static readonly ScriptOptions Options = ScriptOptions.Default.WithReferences(CSharpDefaults.References)
        .AddReferences(typeof(Trainer).Assembly, typeof(TorchSharp.torch).Assembly).WithImports(CSharpDefaults.Imports);

    [Theory]
    [MemberData(nameof(NotebookTests.Others), MemberType = typeof(NotebookTests))]
    public void Its_cells_compile_against_the_kit(string name)
    {
        Script? last = null;
        foreach (var (number, code) in Cells(name))
        {
            last = last is null ? CSharpScript.Create(code, Options) : last.ContinueWith(code);
            Assert.Empty(last.GetCompilation().GetDiagnostics().Where(found => found.Severity == DiagnosticSeverity.Error)
                .Select(found => $"cell {number}: {found}"));
        }
    }

    [Fact]
    public void A_name_the_kit_does_not_have_is_found() => Assert.NotEmpty(
        CSharpScript.Create("new ResearchKit.Training.Trainee()", Options).GetCompilation().GetDiagnostics());

    /// <summary>The C# cells, where a value that another language shares is a dynamic variable.</summary>
    private static IEnumerable<(int Number, string Code)> Cells(string name)
    {
        var cells = NotebookDocument.Load(Repository.PathTo("notebooks", name)).Cells.Where(cell => cell.Kind == CellKind.Code);
        foreach (var (index, source) in cells.Select(cell => cell.Source).Index())
        {
            if (OtherLanguage().IsMatch(source)) continue;
            var code = Shared().Replace(Disposed().Replace(source, ""), "dynamic ${name} = null!;");
            yield return (index + 1, Package().Replace(code, ""));
        }
    }

    [GeneratedRegex(@"^#!(fsharp|python|html|mermaid|javascript)\b", RegexOptions.Multiline)]
    private static partial Regex OtherLanguage();

    [GeneratedRegex(@"^#!share (?:\w+ --from \w+ --as )?(?<name>\w+).*$", RegexOptions.Multiline)]
    private static partial Regex Shared();

    /// <summary>The word of a using declaration, which the kernel rewrites: Roslyn's scripts do not have them.</summary>
    [GeneratedRegex(@"^(?:await )?using (?=(?:var|[\w.]+(?:<[^>]*>)?) \w+ =)", RegexOptions.Multiline)]
    private static partial Regex Disposed();

    [GeneratedRegex("^#r \"nuget:.*$", RegexOptions.Multiline)]
    private static partial Regex Package();
}

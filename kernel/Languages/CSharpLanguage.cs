using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;
using ResearchKit.Kernel.Languages.Packages;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Languages;

/// <summary>C# cells that share their state, on Roslyn's scripting.</summary>
/// <remarks>A cell that throws keeps what it had assigned; one that does not compile changes nothing.</remarks>
public sealed class CSharpLanguage
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Name = "csharp";

    private readonly ReferenceDirectives directives;
    private readonly Dictionary<string, string> sources = new(StringComparer.Ordinal);
    private ScriptOptions options;
    private ScriptState<object?>? state;

    /// <summary>A language without state yet.</summary>
    /// <param name="folder">Where relative paths and the package settings (NuGet.Config) are looked for.</param>
    public CSharpLanguage(string folder)
    {
        directives = new ReferenceDirectives(folder);
        options = ScriptOptions.Default
            .WithReferences(CSharpDefaults.References)
            .WithImports(CSharpDefaults.Imports)
            .WithLanguageVersion(LanguageVersion.Latest)
            .WithSourceResolver(new SourceFileResolver([], folder))
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithEmitDebugInformation(true)
            .WithFileEncoding(Encoding.UTF8)
            .WithAllowUnsafe(true)
            .WithWarningLevel(0);
    }

    /// <summary>Compiles and runs one cell.</summary>
    /// <param name="code">The cell's text.</param>
    /// <param name="cell">What errors call it, such as <c>cell 3</c>.</param>
    /// <param name="note">Takes lines that the reader should know, such as a package version that differs.</param>
    /// <param name="run">Runs the compiled cell to its end.</param>
    /// <param name="cancellation">Stops compiling and restoring; the cell itself sees it as its own token.</param>
    /// <exception cref="CellException">The cell did not compile or threw.</exception>
    public async Task<CellValue> RunAsync(
        string code, string cell, Action<string> note,
        Func<Func<Task<ScriptState<object?>>>, ScriptState<object?>> run, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(run);
        sources[cell] = code;
        var (text, added) = await directives.ApplyAsync(code, note, cancellation).ConfigureAwait(false);
        options = options.AddReferences(added).WithFilePath(cell);
        var script = state is null
            ? CSharpScript.Create<object?>(text, options)
            : state.Script.ContinueWith<object?>(text, options);

        var errors = script.Compile(cancellation).Where(found => found.Severity == DiagnosticSeverity.Error).ToList();
        if (errors.Count > 0) throw CompileErrors.Describe(errors, code);
        state = run(() => state is null
            ? script.RunAsync(globals: null, catchException: _ => true, cancellation)
            : script.RunFromAsync(state, catchException: _ => true, cancellation));
        if (state.Exception is { } thrown) throw ScriptTraceback.Describe(thrown, cell, sources);
        return HasValue(script.GetCompilation(), cell) ? new CellValue(true, state.ReturnValue) : CellValue.None;
    }

    /// <summary>Describes an error of a native library that ended the running cell's thread.</summary>
    /// <param name="error">The error.</param>
    /// <param name="cell">What errors call the cell.</param>
    public CellException Refused(UncaughtError error, string cell) => ScriptTraceback.Describe(error, cell, sources);

    /// <summary>Compiles an empty program, so that the first cell need not wait for the compiler to wake up.</summary>
    public void WarmUp() => CSharpScript.Create<object?>("_ = 1", options).Compile();

    /// <summary>A cell has a value when its last statement is an expression without a semicolon that is not void.</summary>
    private static bool HasValue(Compilation compilation, string cell)
    {
        var tree = compilation.SyntaxTrees.Last(tree => tree.FilePath == cell);
        return tree.GetCompilationUnitRoot().Members.LastOrDefault() is GlobalStatementSyntax { Statement: ExpressionStatementSyntax last }
            && last.SemicolonToken.IsMissing
            && compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression).Type?.SpecialType != SpecialType.System_Void;
    }
}

using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Cells.Globals;
using ResearchKit.Kernel.Languages.CSharp.Services;
using ResearchKit.Kernel.Packages;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>C# cells with shared state, based on Roslyn's scripting API.</summary>
/// <remarks>
/// The assignments of a cell that throws are kept. A cell that does not compile changes nothing.
/// </remarks>
public sealed partial class CSharpLanguage : ILanguage, IVariables
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "csharp";

    /// <summary>
    /// The first compilation of the process, of a trivial program, which warms the compiler up. Every cell awaits
    /// it, and it is kept alive, because later compilations reuse its symbols of the referenced assemblies. If the
    /// first two compilations ran concurrently, each would create its own symbols, and cells of one session would
    /// see two versions of the same type.
    /// </summary>
    private static readonly Lazy<Task<Compilation>> First = new(() => Task.Run(() =>
    {
        var compilation = CSharpScript.Create<object?>("_ = 1", Defaults()).GetCompilation();
        compilation.Emit(Stream.Null);
        return compilation;
    }));

    private readonly ReferenceDirectives directives;
    private readonly Submissions submissions = new();
    private readonly CellWorkspace workspace = new();
    private readonly Dictionary<string, string> sources = new(StringComparer.Ordinal);
    private readonly Lazy<ScriptOptions> initial;
    private readonly List<MetadataReference> pending = [];   // what cells asked for that no compiled cell has yet
    private ScriptOptions? changed;

    /// <summary>Creates the language without any state.</summary>
    /// <param name="folder">
    /// The folder for relative paths, and where the search for package settings (NuGet.Config) starts.
    /// </param>
    public CSharpLanguage(string folder)
    {
        directives = new ReferenceDirectives(folder);
        Services = new CSharpServices(workspace);
        initial = new Lazy<ScriptOptions>(() => Defaults().WithSourceResolver(new LoadedFiles(folder, sources)));
    }

    private ScriptOptions Options
    {
        get => changed ?? initial.Value;
        set => changed = value;
    }

    /// <summary>The editor services of the language.</summary>
    public ICodeServices Services { get; }

    /// <summary>The last cell that compiled.</summary>
    internal Script<object?>? Last => submissions.Last;

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public IReadOnlyList<string> Aliases => ["c#", "cs"];

    /// <inheritdoc/>
    public async Task<CellValue> RunAsync(string code, CellContext context)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(context);
        await First.Value.ConfigureAwait(false);
        sources[context.Name] = context.Source ?? code;
        var (text, added, extensions) = await directives.ApplyAsync(code, context.Note, context.Cancellation)
            .ConfigureAwait(false);
        pending.AddRange(added);
        foreach (var extension in extensions) await context.RunExtension(extension).ConfigureAwait(false);
        if (Hint().IsMatch(text)) _ = context.Kit();   // load the kit while the compiler runs
        var (checkedText, original) = StopChecks.AddTo(text);
        Options = Options.WithFilePath(context.Name);
        var script = Next(IsEmpty(checkedText) ? $"{checkedText}\n;" : checkedText);
        var start = Add(script, text, out var errors, context.Cancellation)
            ?? throw new CompileErrors(context.Name, code, original).Describe(errors);
        if (submissions.UsesPackages) await context.Kit().ConfigureAwait(false);
        try
        {
            var value = context.Run(start);
            return HasValue(script.GetCompilation(), context.Name, value) ? new CellValue(true, value) : CellValue.None;
        }
        catch (Exception thrown)
        {
            throw ScriptTraceback.Describe(thrown, context.Name, sources);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<Variable> Variables =>
    [
        .. submissions.Instances
            .SelectMany(cell => cell.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance)
                .Select(member => (Member: member, Cell: cell)))
            .Where(found => SyntaxFacts.IsValidIdentifier(found.Member.Name))
            .DistinctBy(found => found.Member.Name)
            .Select(found => new Variable(found.Member.Name, found.Member.FieldType, found.Member.GetValue(found.Cell)))
            .OrderBy(variable => variable.Name, StringComparer.Ordinal),
    ];

    /// <inheritdoc/>
    public async Task SetAsync(string name, object? value, CancellationToken cancellation)
    {
        if (!SyntaxFacts.IsValidIdentifier(name)) throw new ArgumentException($"'{name}' is not a C# name.");
        await First.Value.ConfigureAwait(false);
        var type = value is null ? "object" : TypeNames.Of(value.GetType());
        var code = $"{type} @{name} = global::{typeof(SharedValues).FullName}.Take<{type}>(\"{SharedValues.Leave(value)}\");";
        var start = Add(Next(code), code, out var errors, cancellation)
            ?? throw new ArgumentException($"{name} cannot be a variable of type {type}: {errors[0].GetMessage(null)}");
        await start().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public CellException Refused(NativeError met, string cell) => ScriptTraceback.Describe(met, cell, sources);

    /// <summary>Starts warming the compiler up, so that the first cell runs sooner.</summary>
    public static void WarmUp() => _ = First.Value;

    private static ScriptOptions Defaults() => ScriptOptions.Default
        .WithReferences(CSharpDefaults.References)
        .WithMetadataResolver(new MissingReferences())
        .WithImports(CSharpDefaults.Imports)
        .WithLanguageVersion(LanguageVersion.Latest)
        .WithOptimizationLevel(OptimizationLevel.Release)
        .WithEmitDebugInformation(true)
        .WithFileEncoding(Encoding.UTF8)
        .WithAllowUnsafe(true)
        .WithWarningLevel(0);

    /// <summary>
    /// A cell after the ones before it. Roslyn adds its references to those of the earlier cells, so it gets the new ones alone:
    /// handed over again, they would grow with the square of the cells.
    /// </summary>
    private Script<object?> Next(string code) => Last is { } last
        ? last.ContinueWith<object?>(code, Options.WithReferences(pending))
        : CSharpScript.Create<object?>(code, Options.AddReferences(pending));

    /// <summary>Compiles a cell and makes it the latest one; null with the errors that forbid it.</summary>
    private Func<Task<object?>>? Add(
        Script<object?> script, string text, out IReadOnlyList<Diagnostic> errors, CancellationToken cancellation)
    {
        var start = submissions.Add(script, out errors, cancellation);
        if (start is null) return null;
        workspace.Add(text, [.. pending]);
        pending.Clear();
        return start;
    }

    /// <summary>
    /// Returns whether a cell has only usings or comments; the compiler emits no program for it, without an error.
    /// </summary>
    private static bool IsEmpty(string code) =>
        CSharpSyntaxTree.ParseText(code, CSharpDefaults.Parsing).GetCompilationUnitRoot().Members.Count == 0;

    /// <summary>
    /// A cell has a value when it returned one, or when its last statement is an expression without a semicolon that is not void.
    /// </summary>
    private static bool HasValue(Compilation compilation, string cell, object? value)
    {
        if (value is not null) return true;
        var tree = compilation.SyntaxTrees.Last(tree => Path.GetFileName(tree.FilePath) == cell);
        return tree.GetCompilationUnitRoot().Members.LastOrDefault() switch
        {
            GlobalStatementSyntax { Statement: ReturnStatementSyntax last } => last.Expression is not null,
            GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } last } =>
                compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression).Type?.SpecialType != SpecialType.System_Void,
            _ => false,
        };
    }

    [GeneratedRegex("torch|ResearchKit", RegexOptions.IgnoreCase)]
    private static partial Regex Hint();
}

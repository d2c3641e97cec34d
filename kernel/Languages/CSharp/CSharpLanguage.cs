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
    private readonly DeclaredAssemblies declared;
    private readonly LoadedFiles loaded;
    private readonly CellWorkspace workspace = new();
    private readonly Dictionary<string, string> sources = new(StringComparer.Ordinal);
    private readonly Lazy<ScriptOptions> initial;
    private readonly List<MetadataReference> pending = [];   // what cells asked for that no compiled cell has yet
    private readonly List<MetadataReference> added = [];     // what cells asked for so far
    private ScriptOptions? changed;

    /// <summary>Creates the language without any state.</summary>
    /// <param name="folder">
    /// The folder for relative paths, and where the search for package settings (NuGet.Config) starts.
    /// </param>
    public CSharpLanguage(string folder)
    {
        directives = new ReferenceDirectives(folder);
        declared = new DeclaredAssemblies(submissions.Assemblies, submissions.See);
        loaded = new LoadedFiles(folder, sources);
        Services = new CSharpServices(workspace);
        initial = new Lazy<ScriptOptions>(() => Defaults().WithSourceResolver(loaded));
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
        CodeNesting.Require(code);
        var (text, found, extensions) = await directives.ApplyAsync(code, context.Note, context.Cancellation)
            .ConfigureAwait(false);
        pending.AddRange(found);
        added.AddRange(found);
        foreach (var extension in extensions) await context.RunExtension(extension).ConfigureAwait(false);
        if (Hint().IsMatch(text)) _ = context.Kit();   // load the kit while the compiler runs
        var (script, start) = Compile(text, code, context);
        if (submissions.UsesTensors) await context.Kit().ConfigureAwait(false);
        else if (submissions.UsesPackages) await context.Kit.IfPossible().ConfigureAwait(false);   // a package may use tensors
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

    /// <summary>
    /// Compiles a cell and makes it the latest one. Code that does not compile with the inserted checks is compiled without them.
    /// </summary>
    /// <exception cref="CellException">The cell does not compile.</exception>
    private (Script<object?> Script, Func<Task<object?>> Start) Compile(string text, string code, CellContext context)
    {
        Options = Options.WithFilePath(context.Name);
        IReadOnlyList<Diagnostic> errors = [];
        Func<int, int> original = position => position;
        try
        {
            loaded.Forget();
            loaded.Prepare(text, (file, path) => Rewrite(file, path, all: true).Checked.Code);
            var rewritten = Rewrite(text, context.Name, context.IsFile);
            foreach (var attempt in Attempts(rewritten))
            {
                original = attempt.Original;
                var script = Next(Whole(attempt.Code));
                if (Add(script, rewritten.Plain.Code, out errors, context.Cancellation) is not { } start) continue;
                declared.See(Parsed(text));
                return (script, start);
            }
        }
        catch (DeclarationException refused)
        {
            (errors, original) = (refused.Errors, refused.Original);
        }
        catch (InsufficientExecutionStackException)
        {
            throw CellException.Plain("CompilationError", "The code nests too deeply for the C# compiler.");
        }
        throw new CompileErrors(context.Name, code, original).Describe(errors);
    }

    /// <summary>The forms of a cell, in the order in which they are tried.</summary>
    private IEnumerable<MappedCode> Attempts(ScriptCode code)
    {
        var tree = CSharpSyntaxTree.ParseText(code.Checked.Code, CSharpDefaults.Parsing);
        if (LambdaChecks.MayBeNeeded(tree.GetRoot()))
        {
            var compilation = Next(Whole(code.Checked.Code)).GetCompilation();
            var cell = compilation.SyntaxTrees.Last(one => one.FilePath == Options.FilePath);
            var any = false;
            var model = compilation.GetSemanticModel(cell);
            var withLambdas = code.Checked.With(edits => any = LambdaChecks.AddTo(edits, cell, model));
            if (any) yield return withLambdas;
        }
        yield return code.Checked;
        if (code.Checked.Code != code.Plain.Code) yield return code.Plain;
    }

    /// <summary>Rewrites a cell or file as a script; what a script cannot hold is compiled apart and referenced.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">The name of the cell, or the path of the file.</param>
    /// <param name="all">Whether all types are compiled apart if they can be, as those of an ordinary file.</param>
    private ScriptCode Rewrite(string text, string name, bool all)
    {
        var root = Parsed(text);
        var needed = DeclarationsApart.Find(root, all: false);
        var wanted = all ? DeclarationsApart.Find(root, all) : needed;
        if (wanted.Count > 0 && !TryDeclare(wanted, isLast: wanted.Count == needed.Count))
        {
            wanted = needed;
            if (wanted.Count > 0) TryDeclare(wanted, isLast: true);
        }
        return ScriptCode.Of(root, wanted);

        bool TryDeclare(IReadOnlyList<MemberDeclarationSyntax> apart, bool isLast)
        {
            try
            {
                if (declared.Add(root, apart, name, [.. CSharpDefaults.References, .. added]) is { } reference)
                    pending.Add(reference);
                return true;
            }
            catch (DeclarationException) when (!isLast)   // it may use what cells declare
            {
                return false;
            }
        }
    }

    private static CompilationUnitSyntax Parsed(string text) =>
        CSharpSyntaxTree.ParseText(text, ScriptCode.Ordinary).GetCompilationUnitRoot();

    /// <summary>
    /// The compiler emits no program for a cell that has only usings or comments, without an error; it gets an empty statement.
    /// </summary>
    private static string Whole(string code) =>
        CSharpSyntaxTree.ParseText(code, CSharpDefaults.Parsing).GetCompilationUnitRoot().Members.Count == 0 ? $"{code}\n;"
            : code;

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
    /// Returns whether a cell has a value: it returned one, or its last statement is an expression without a semicolon and
    /// not void.
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

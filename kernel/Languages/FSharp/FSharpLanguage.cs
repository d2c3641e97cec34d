using System.Text.RegularExpressions;
using FSharp.Compiler.Syntax;
using Microsoft.CodeAnalysis;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages.CSharp;
using ResearchKit.Kernel.Packages;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>F# cells that share their state, on F# Interactive.</summary>
/// <remarks>
/// It starts with the first cell. A cell that does not compile, throws or is interrupted declares nothing, but what it changed in
/// earlier cells' values stays changed.
/// </remarks>
public sealed partial class FSharpLanguage : ILanguage, IVariables
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "fsharp";

    private readonly ReferenceDirectives directives;
    private readonly Lazy<FSharpSession> session;
    private readonly Dictionary<string, string> sources = new(StringComparer.Ordinal);

    /// <summary>A language without state yet.</summary>
    /// <param name="folder">Where relative paths and the package settings (NuGet.Config) are looked for.</param>
    public FSharpLanguage(string folder)
    {
        directives = new ReferenceDirectives(folder);
        session = new Lazy<FSharpSession>(() => new FSharpSession(folder));
    }

    /// <summary>Answers what editors ask about cells that are being written; the first question starts F#.</summary>
    public ICodeServices Services => new FSharpServices(session);

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public IReadOnlyList<string> Aliases => ["f#", "fs"];

    /// <inheritdoc/>
    public IReadOnlyList<Variable> Variables => !session.IsValueCreated ? [] :
    [
        .. session.Value.Values.Where(bound => bound.Name != "it")
            .Select(bound => new Variable(bound.Name, bound.Value.ReflectionType, bound.Value.ReflectionValue)),
    ];

    /// <inheritdoc/>
    public async Task<CellValue> RunAsync(string code, CellContext context)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(context);
        await context.Kit().ConfigureAwait(false);
        sources[context.Name] = context.Source ?? code;
        var (text, added, extensions) = await directives.ApplyAsync(code, context.Note, context.Cancellation)
            .ConfigureAwait(false);
        foreach (var reference in added.OfType<PortableExecutableReference>()) session.Value.Reference(reference.FilePath!);
        foreach (var extension in extensions) await context.RunExtension(extension).ConfigureAwait(false);
        RefuseToQuit(text);
        var value = CellValue.None;
        foreach (var piece in FSharpInteractions.Split(text)) value = Run(piece, context);
        return value;
    }

    /// <inheritdoc/>
    public Task SetAsync(string name, object? value, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!PrettyNaming.IsIdentifierName(name) || PrettyNaming.DoesIdentifierNeedBackticks(name))
            throw new ArgumentException($"'{name}' is no name in F#; expected letters, digits and _, and no keyword.",
                nameof(name));
        session.Value.Bind(name, value);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public CellException Refused(NativeError met, string cell) => ScriptTraceback.Describe(met, cell, sources);

    private CellValue Run(string code, CellContext context)
    {
        var result = (FSharpResult)context.Run(() => Task.FromResult<object?>(Evaluate(code, context)))!;
        context.Cancellation.ThrowIfCancellationRequested();
        if (result.IsRefused) throw FSharpErrors.Describe(result.Found, context.Name, sources[context.Name]);
        return result.Error is null ? result.Value : throw ScriptTraceback.Describe(result.Error, context.Name, sources);
    }

    private static void RefuseToQuit(string code)
    {
        if (Quit().Match(code) is not { Success: true } found) return;
        var line = code.AsSpan(0, found.Index).Count('\n') + 1;
        throw CellException.Plain("QuitRefused",
            $"({line},1): {found.Value.Trim()} would end the kernel with all its languages; restart it instead.", line);
    }

    private FSharpResult Evaluate(string code, CellContext context)
    {
        var result = EvaluateChecked(code, context);
        if (!result.IsRefused || Directive().IsMatch(code) || !FSharpLastValue.IsGeneric(result.Found)) return result;
        return EvaluateChecked(FSharpLastValue.AsObject(code, context.Name, session.Value.Parse(code)), context);
    }

    /// <summary>With checks in its loops; where the compiler does not take them, as it was written.</summary>
    private FSharpResult EvaluateChecked(string code, CellContext context)
    {
        var checkedCode = FSharpStopChecks.AddTo(code, context.Name, session.Value.Parse);
        var result = session.Value.Evaluate(checkedCode, context.Name, context.Cancellation);
        var another = result.IsRefused && checkedCode != code && !Directive().IsMatch(code);
        return another ? session.Value.Evaluate(code, context.Name, context.Cancellation) : result;
    }

    /// <summary>
    /// What stands before a directive, and what it loads, has run when the rest is refused: it must not run twice.
    /// </summary>
    [GeneratedRegex(@"^\s*#(?!(if|else|endif)\b)[A-Za-z]", RegexOptions.Multiline)]
    private static partial Regex Directive();

    [GeneratedRegex(@"^#(quit|exit|q)\b", RegexOptions.Multiline)]
    private static partial Regex Quit();
}

using System.Text.RegularExpressions;
using FSharp.Compiler.Syntax;
using Microsoft.CodeAnalysis;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages.CSharp;
using ResearchKit.Kernel.Packages;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>F# cells with shared state, based on F# Interactive.</summary>
/// <remarks>
/// F# Interactive starts with the first cell. A cell (or its part up to <c>;;</c>) that does not compile,
/// throws or is
/// interrupted declares nothing, but its changes to the values of earlier cells are kept.
/// </remarks>
public sealed partial class FSharpLanguage : ILanguage, IVariables
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "fsharp";

    private readonly ReferenceDirectives directives;
    private readonly Lazy<FSharpSession> session;
    private readonly Dictionary<string, string> sources = new(StringComparer.Ordinal);

    /// <summary>Creates the language without any state.</summary>
    /// <param name="folder">
    /// The folder for relative paths, and where the search for package settings (NuGet.Config) starts.
    /// </param>
    public FSharpLanguage(string folder)
    {
        directives = new ReferenceDirectives(folder);
        session = new Lazy<FSharpSession>(() => new FSharpSession(folder));
    }

    /// <summary>The editor services of the language; the first request starts F# Interactive.</summary>
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
        CodeNesting.Require(code);
        await context.Kit.IfPossible().ConfigureAwait(false);
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
            throw new ArgumentException($"'{name}' is not a valid name in F#; expected letters, digits "
                + "and _, and no keyword.", nameof(name));
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

    /// <summary>
    /// Evaluates code with stop checks, or without them if the compiler rejects the code with them.
    /// </summary>
    private FSharpResult EvaluateChecked(string code, CellContext context)
    {
        var checkedCode = FSharpStopChecks.AddTo(code, context.Name, session.Value.Parse);
        var result = session.Value.Evaluate(checkedCode, context.Name, context.Cancellation);
        var another = result.IsRefused && checkedCode != code && !Directive().IsMatch(code);
        return another ? session.Value.Evaluate(code, context.Name, context.Cancellation) : result;
    }

    /// <summary>
    /// Code with a directive is not evaluated a second time: if its rest is rejected, the code before the directive
    /// has already run.
    /// </summary>
    [GeneratedRegex(@"^\s*#(?!(if|else|endif)\b)[A-Za-z]", RegexOptions.Multiline)]
    private static partial Regex Directive();

    [GeneratedRegex(@"^#(quit|exit|q)\b", RegexOptions.Multiline)]
    private static partial Regex Quit();
}

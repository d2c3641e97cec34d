using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Text;
using FSharp.Compiler.Tokenization;
using Microsoft.FSharp.Control;
using Microsoft.FSharp.Core;
using ResearchKit.Kernel.Cells;
using static FSharp.Compiler.Interactive.Shell;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>An F# Interactive session inside this process.</summary>
internal sealed class FSharpSession
{
    private readonly FsiEvaluationSession interactive;

    /// <summary>Starts F# Interactive, which takes seconds.</summary>
    /// <param name="folder">The folder for relative paths.</param>
    public FSharpSession(string folder)
    {
        interactive = FsiEvaluationSession.Create(
            FsiEvaluationSession.GetDefaultConfiguration(), FSharpDefaults.Arguments, TextReader.Null, TextWriter.Null,
            TextWriter.Null, null, null);
        ConsoleRouter.Install();   // F# Interactive sets the console's encoding, which replaces the input reader
        Require(Evaluate(FSharpDefaults.Opening(folder), "opening", CancellationToken.None), "what every cell opens");
    }

    /// <summary>The values that cells have bound.</summary>
    public IEnumerable<FsiBoundValue> Values => interactive.GetBoundValues();

    /// <summary>Type-checks code against the earlier cells, without running it.</summary>
    public (FSharpParseFileResults Parsed, FSharpCheckFileResults Checked) Check(string code)
    {
        var (parsed, found, _) = interactive.ParseAndCheckInteraction(code, null);
        return (parsed, found);
    }

    /// <summary>
    /// Compiles and runs code on this thread. Declarations of code that throws or is cancelled are not kept.
    /// </summary>
    public FSharpResult Evaluate(string code, string cell, CancellationToken cancellation)
    {
        var (result, found) = interactive.EvalInteractionNonThrowing(code, cell, cancellation);
        return result switch
        {
            FSharpChoice<FSharpOption<FsiValue>?, Exception>.Choice2Of2 { Item: var error } =>
                new FSharpResult(CellValue.None, error, found),
            FSharpChoice<FSharpOption<FsiValue>?, Exception>.Choice1Of2 { Item.Value: var it }
                when it.ReflectionType != typeof(Unit) => new FSharpResult(new CellValue(true, Shown(it)), null, found),
            _ => new FSharpResult(CellValue.None, null, found),
        };
    }

    /// <summary>The option <c>None</c> is null in .NET; only its type tells it from other nulls.</summary>
    private static object? Shown(FsiValue value) => value.ReflectionValue
        ?? (value.ReflectionType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(FSharpOption<>)
            ? new FSharpNone() : null);

    /// <summary>References an assembly for later cells.</summary>
    public void Reference(string path) => Require(Evaluate($"#r @\"{path}\"", "reference", CancellationToken.None), path);

    /// <summary>Binds a value to a name, with the value's own type if F# can see it.</summary>
    public void Bind(string name, object? value)
    {
        if (value is not null && SharedValue.IsSeen(value.GetType()))
        {
            interactive.AddBoundValue(name, value);
            return;
        }
        interactive.AddBoundValue(name, SharedValue.Carry(value));
        if (value is not null && NameInCells(value.GetType()) is { } type
            && Evaluate($"let {name} = box {name}.Value :?> {type}", "shared", CancellationToken.None).Error is null) return;
        Require(Evaluate($"let {name} = {name}.Value", "shared", CancellationToken.None), name);
    }

    /// <summary>Parses code without compiling it.</summary>
    public FSharpParseFileResults Parse(string code) => FSharpAsync.RunSynchronously(
        interactive.InteractiveChecker.ParseFile(
            FSharpDefaults.FileName, SourceText.ofString(code), FSharpDefaults.Parsing, false, null), null, null);

    /// <summary>Returns the tokens of code.</summary>
    public static IReadOnlyList<FSharpToken> Tokens(string code)
    {
        var tokens = new List<FSharpToken>();
        FSharpLexer.Tokenize(SourceText.ofString(code), FuncConvert.FromAction<FSharpToken>(tokens.Add), null, null, null, null,
            null, null);
        return tokens;
    }

    /// <summary>
    /// Returns the name of a type that a cell declared; a later cell may have declared another type of that name.
    /// </summary>
    private string? NameInCells(Type type) =>
        interactive.DynamicAssemblies.Contains(type.Assembly) && !type.IsGenericType
            && type.FullName!.Split('+') is [_, .. var names]
            ? string.Join('.', names.Select(name => $"``{name}``")) : null;

    private static void Require(FSharpResult result, string what)
    {
        if (result.Error is null) return;
        var why = result.Found.FirstOrDefault(found => found.Severity.IsError)?.Message ?? result.Error.Message;
        throw new InvalidOperationException($"F# Interactive rejected {what}: {why}", result.Error);
    }
}

/// <summary>The result of evaluating F# code.</summary>
/// <param name="Value">The value of the last expression.</param>
/// <param name="Error">
/// The exception that the code threw, or the compiler's exception; null if there is none.
/// </param>
/// <param name="Found">The compiler's diagnostics.</param>
internal sealed record FSharpResult(CellValue Value, Exception? Error, IReadOnlyList<FSharpDiagnostic> Found)
{
    /// <summary>Whether the code did not compile.</summary>
    public bool IsRefused => Error is FsiCompilationException;
}

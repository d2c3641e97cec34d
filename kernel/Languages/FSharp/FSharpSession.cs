using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Text;
using FSharp.Compiler.Tokenization;
using Microsoft.FSharp.Control;
using Microsoft.FSharp.Core;
using ResearchKit.Kernel.Cells;
using static FSharp.Compiler.Interactive.Shell;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>One run of F# Interactive inside this process.</summary>
internal sealed class FSharpSession
{
    private readonly FsiEvaluationSession interactive;

    /// <summary>Starts it. That takes seconds.</summary>
    /// <param name="folder">Where relative paths begin.</param>
    public FSharpSession(string folder)
    {
        interactive = FsiEvaluationSession.Create(
            FsiEvaluationSession.GetDefaultConfiguration(), FSharpDefaults.Arguments, TextReader.Null, TextWriter.Null,
            TextWriter.Null, null, null);
        ConsoleRouter.Install();   // it has set the console's encoding, and with it the input
        Require(Evaluate(FSharpDefaults.Opening(folder), "opening", CancellationToken.None), "what every cell opens");
    }

    /// <summary>What the cells have bound.</summary>
    public IEnumerable<FsiBoundValue> Values => interactive.GetBoundValues();

    /// <summary>Compiles code against the cells before it, without running it.</summary>
    public (FSharpParseFileResults Parsed, FSharpCheckFileResults Checked) Check(string code)
    {
        var (parsed, found, _) = interactive.ParseAndCheckInteraction(code, null);
        return (parsed, found);
    }

    /// <summary>Compiles and runs code on this thread. The names of code that throws or is cancelled are not kept.</summary>
    public FSharpResult Evaluate(string code, string cell, CancellationToken cancellation)
    {
        var (result, found) = interactive.EvalInteractionNonThrowing(code, cell, cancellation);
        return result switch
        {
            FSharpChoice<FSharpOption<FsiValue>?, Exception>.Choice2Of2 { Item: var error } =>
                new FSharpResult(CellValue.None, error, found),
            FSharpChoice<FSharpOption<FsiValue>?, Exception>.Choice1Of2 { Item.Value: var it }
                when it.ReflectionType != typeof(Unit) =>
                new FSharpResult(new CellValue(true, it.ReflectionValue), null, found),
            _ => new FSharpResult(CellValue.None, null, found),
        };
    }

    /// <summary>Lets later cells use an assembly.</summary>
    public void Reference(string path) => Require(Evaluate($"#r @\"{path}\"", "reference", CancellationToken.None), path);

    /// <summary>Binds a value to a name, under the value's own type where F# can see it.</summary>
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

    /// <summary>The code's syntax; nothing is compiled.</summary>
    public FSharpParseFileResults Parse(string code) => FSharpAsync.RunSynchronously(
        interactive.InteractiveChecker.ParseFile(
            FSharpDefaults.FileName, SourceText.ofString(code), FSharpDefaults.Parsing, false, null), null, null);

    /// <summary>The code's words.</summary>
    public static IReadOnlyList<FSharpToken> Tokens(string code)
    {
        var tokens = new List<FSharpToken>();
        FSharpLexer.Tokenize(SourceText.ofString(code), FuncConvert.FromAction<FSharpToken>(tokens.Add), null, null, null, null,
            null, null);
        return tokens;
    }

    /// <summary>How cells call a type that one of them declared; a later one of the same name may have taken its place.</summary>
    private string? NameInCells(Type type) =>
        interactive.DynamicAssemblies.Contains(type.Assembly) && !type.IsGenericType
            && type.FullName!.Split('+') is [_, .. var names]
            ? string.Join('.', names.Select(name => $"``{name}``")) : null;

    private static void Require(FSharpResult result, string what)
    {
        if (result.Error is null) return;
        var why = result.Found.FirstOrDefault(found => found.Severity.IsError)?.Message ?? result.Error.Message;
        throw new InvalidOperationException($"F# Interactive refused {what}: {why}", result.Error);
    }
}

/// <summary>What came of a piece of F# code.</summary>
/// <param name="Value">Its last expression's value.</param>
/// <param name="Error">What it threw, or that it did not compile.</param>
/// <param name="Found">What the compiler found.</param>
internal sealed record FSharpResult(CellValue Value, Exception? Error, IReadOnlyList<FSharpDiagnostic> Found)
{
    /// <summary>Whether the compiler refused it, so that nothing of it ran.</summary>
    public bool IsRefused => Error is FsiCompilationException;
}

using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Describes an exception that a cell threw: the library method that threw it, and the frames and source lines
/// in cells.
/// </summary>
internal static class ScriptTraceback
{
    public static CellException Describe(Exception thrown, string cell, IReadOnlyDictionary<string, string> sources)
    {
        var error = thrown is AggregateException { InnerExceptions: [var only] } ? only : thrown;
        var traceback = new List<string>();
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            var prefix = cause == error ? "" : "caused by ";
            traceback.Add($"{prefix}{Name(cause)}: {Message(cause.Message)}");
            traceback.AddRange(Frames(new StackTrace(cause, fNeedFileInfo: true), sources));
        }
        return new CellException(Name(error), Message(error.Message), traceback,
            Line(new StackTrace(error, fNeedFileInfo: true), cell, sources), error);
    }

    /// <summary>
    /// Describes an uncaught native exception, in the form in which TorchSharp reports the native exceptions that
    /// it catches.
    /// </summary>
    public static CellException Describe(NativeError error, string cell, IReadOnlyDictionary<string, string> sources)
    {
        var (name, message) = (typeof(ExternalException).FullName!, Message(error.Message));
        return new CellException(name, message, [$"{name}: {message}", .. Frames(error.Stack, sources)],
            Line(error.Stack, cell, sources));
    }

    private static int? Line(StackTrace trace, string cell, IReadOnlyDictionary<string, string> sources) =>
        Places(trace, sources).Where(place => place.Cell == cell).Select(place => (int?)place.Line).FirstOrDefault();

    private static string Name(Exception error) =>
        error.GetType() is { Namespace: "System" } type ? type.Name : error.GetType().FullName ?? "Exception";

    /// <summary>Removes the native stack that libtorch appends to its message.</summary>
    private static string Message(string message) =>
        message.Split("\nException raised from ", 2)[0].TrimEnd();

    private static IEnumerable<string> Frames(StackTrace trace, IReadOnlyDictionary<string, string> sources)
    {
        var top = trace.GetFrames()
            .FirstOrDefault(frame =>
                frame.GetMethod() is { DeclaringType: not null, Attributes: var kind }
                && !kind.HasFlag(MethodAttributes.PinvokeImpl));
        if (top?.GetMethod() is { DeclaringType: { } type } method && !IsScript(top, sources))
            yield return $"   in {type.FullName}.{method.Name}";
        foreach (var (cell, line) in Places(trace, sources))
        {
            var text = sources[cell].ReplaceLineEndings("\n").Split('\n').ElementAtOrDefault(line - 1)?.Trim();
            yield return $"   at {cell}, line {line}: {text}";
        }
    }

    private static List<(string Cell, int Line)> Places(StackTrace trace, IReadOnlyDictionary<string, string> sources)
    {
        var places = new List<(string, int)>();
        foreach (var frame in trace.GetFrames().Where(frame => IsScript(frame, sources)))
        {
            var place = (Path.GetFileName(frame.GetFileName())!, frame.GetFileLineNumber());
            if (places.Count == 0 || places[^1] != place) places.Add(place);
        }
        return places;
    }

    /// <summary>
    /// Returns whether a frame is in a cell. In debug information a cell is a file in the notebook's folder.
    /// </summary>
    private static bool IsScript(StackFrame frame, IReadOnlyDictionary<string, string> sources) =>
        frame.GetFileName() is { } file && sources.ContainsKey(Path.GetFileName(file));
}

using System.Diagnostics;

namespace ResearchKit.Kernel.Languages;

/// <summary>Says what a cell threw and where: the cells' own frames with their lines, and the library call that refused.</summary>
internal static class ScriptTraceback
{
    public static CellException Describe(Exception thrown, string cell, IReadOnlyDictionary<string, string> sources)
    {
        var error = thrown is AggregateException { InnerExceptions: [var only] } ? only : thrown;
        var traceback = new List<string>();
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            var prefix = cause == error ? "" : "caused by ";
            traceback.Add($"{prefix}{Name(cause)}: {Message(cause)}");
            traceback.AddRange(Frames(cause, sources));
        }
        var line = Places(error, sources).Where(place => place.Cell == cell).Select(place => (int?)place.Line).FirstOrDefault();
        return new CellException(Name(error), Message(error), traceback, line, error);
    }

    private static string Name(Exception error) =>
        error.GetType() is { Namespace: "System" } type ? type.Name : error.GetType().FullName ?? "Exception";

    /// <summary>Without the native frames that libtorch adds to its sentence.</summary>
    private static string Message(Exception error) =>
        error.Message.Split("\nException raised from ", 2)[0].TrimEnd();

    private static IEnumerable<string> Frames(Exception error, IReadOnlyDictionary<string, string> sources)
    {
        var top = new StackTrace(error, fNeedFileInfo: true).GetFrames().FirstOrDefault();
        if (top?.GetMethod() is { DeclaringType: { } type } method && !IsScript(top, sources))
            yield return $"   in {type.FullName}.{method.Name}";
        foreach (var (cell, line) in Places(error, sources))
        {
            var text = sources[cell].ReplaceLineEndings("\n").Split('\n').ElementAtOrDefault(line - 1)?.Trim();
            yield return $"   at {cell}, line {line}: {text}";
        }
    }

    private static List<(string Cell, int Line)> Places(Exception error, IReadOnlyDictionary<string, string> sources)
    {
        var places = new List<(string, int)>();
        foreach (var frame in new StackTrace(error, fNeedFileInfo: true).GetFrames().Where(frame => IsScript(frame, sources)))
        {
            var place = (Path.GetFileName(frame.GetFileName())!, frame.GetFileLineNumber());
            if (places.Count == 0 || places[^1] != place) places.Add(place);
        }
        return places;
    }

    /// <summary>The compiler spells a cell's name as a file in the notebook's folder.</summary>
    private static bool IsScript(StackFrame frame, IReadOnlyDictionary<string, string> sources) =>
        frame.GetFileName() is { } file && sources.ContainsKey(Path.GetFileName(file));
}

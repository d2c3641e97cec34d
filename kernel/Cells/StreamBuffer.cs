using System.Text;

namespace ResearchKit.Kernel.Cells;

/// <summary>Joins many small writes to a stream into few outputs. Not thread-safe.</summary>
internal sealed class StreamBuffer
{
    private const int Enough = 8192;
    private readonly StringBuilder text = new();
    private string name = "stdout";

    /// <summary>True when there is text to take.</summary>
    public bool HasText => text.Length > 0;

    /// <summary>Adds text and returns the outputs that are due.</summary>
    public IEnumerable<StreamOutput> Write(string stream, ReadOnlySpan<char> written)
    {
        List<StreamOutput> due = [];
        if (stream != name && Take() is { } other) due.Add(other);
        name = stream;
        text.Append(written);
        if (text.Length >= Enough && Take() is { } full) due.Add(full);
        return due;
    }

    /// <summary>Removes and returns the buffered text; null if there is none.</summary>
    public StreamOutput? Take()
    {
        // a high surrogate is kept until its low surrogate arrives
        var length = text.Length > 1 && char.IsHighSurrogate(text[^1]) ? text.Length - 1 : text.Length;
        if (length == 0) return null;
        var output = new StreamOutput(name, text.ToString(0, length));
        text.Remove(0, length);
        return output;
    }
}

namespace ResearchKit.Kernel.Cells;

/// <summary>Where the outputs of one cell go.</summary>
internal sealed class CellOutputs(SessionOutputs session, Action<Output> report)
{
    private readonly StreamBuffer streams = new();
    private ErrorOutput? firstError;

    /// <summary>Gives out what waits; returns the first error so far.</summary>
    public ErrorOutput? End()
    {
        lock (session.Gate)
        {
            session.Flush();
            return firstError;
        }
    }

    public void Write(string stream, ReadOnlySpan<char> text)
    {
        lock (session.Gate)
        {
            foreach (var full in streams.Write(stream, text)) Report(full);
            session.Wait(this);
        }
    }

    public void Show(Formatted value, string displayId)
    {
        lock (session.Gate)
        {
            Send(new DisplayOutput(value.Data, displayId));
            Send(value.Error);
            session.Shown(displayId);
        }
    }

    /// <summary>Replaces a display, of this cell or another, now or when its turn comes.</summary>
    public void Update(object? value, IReadOnlyList<string> mimeTypes, string displayId)
    {
        if (value is not IDisposable)
        {
            session.Update(this, displayId, () => Formatted.Of(value, mimeTypes));
            return;
        }
        var now = Formatted.Of(value, mimeTypes);   // the value may be gone when its turn comes
        session.Update(this, displayId, () => now);
    }

    /// <inheritdoc cref="Update(object?, IReadOnlyList{string}, string)"/>
    public void Update(Formatted value, string displayId) => session.Update(this, displayId, () => value);

    public void Send(Output? output)
    {
        if (output is null) return;
        lock (session.Gate)
        {
            if (output is ErrorOutput error) firstError ??= error;
            FlushText();
            Report(output);
        }
    }

    /// <summary>Gives out what waits, such as the question before an answer is read.</summary>
    public void FlushAll() => session.Flush();

    /// <summary>Gives out the text that waits to be joined with more.</summary>
    public void FlushText()
    {
        if (streams.Take() is { } text) Report(text);
    }

    private void Report(Output output)
    {
        if (!session.IsClosed) report(output);
    }
}

namespace ResearchKit.Kernel.Cells;

/// <summary>Reports the outputs of one cell to its listener.</summary>
internal sealed class CellOutputs(SessionOutputs session, Action<Output> report)
{
    private readonly StreamBuffer streams = new();
    private ErrorOutput? firstError;

    /// <summary>Flushes pending output and returns the first error so far.</summary>
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
            Send(value.Note);
            session.Shown(displayId);
        }
    }

    /// <summary>Updates a display of this or another cell, now or when the update interval has passed.</summary>
    public void Update(object? value, IReadOnlyList<string> mimeTypes, string displayId)
    {
        if (value is not IDisposable)
        {
            session.Update(this, displayId, () => Formatted.Of(value, mimeTypes));
            return;
        }
        // format now, because the value may be disposed before the update is sent
        var now = Formatted.Of(value, mimeTypes);
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

    /// <summary>Flushes all pending output, such as a prompt before input is read.</summary>
    public void FlushAll() => session.Flush();

    /// <summary>Flushes the buffered stream text.</summary>
    public void FlushText()
    {
        if (streams.Take() is { } text) Report(text);
    }

    private void Report(Output output)
    {
        if (!session.IsClosed) report(output);
    }
}

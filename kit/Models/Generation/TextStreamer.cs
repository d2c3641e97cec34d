namespace ResearchKit.Models;

/// <summary>Turns a stream of tokens into text: whole characters only, and never a part of a stop string.</summary>
/// <remarks>
/// A character may need several tokens, and a stop string may begin and end inside tokens. Text that could still become
/// either is held back until it is certain. All returned texts together are the text of the new tokens.
/// </remarks>
/// <param name="decode">A tokenizer's <c>Decode</c>.</param>
/// <param name="prompt">Tokens before the stream, which decide on the space before the first word; null for none.</param>
/// <param name="stopStrings">Strings that end the text and are not part of it; null for none.</param>
public sealed class TextStreamer(Func<IReadOnlyList<long>, string> decode, IReadOnlyList<long>? prompt = null,
    IReadOnlyList<string>? stopStrings = null)
{
    private const int PromptTokens = 8;      // enough to know whether a space follows
    private const char Unfinished = '\uFFFD';
    private const int MostUnfinished = 3;    // bytes of a character in UTF-8 without its last one

    private readonly List<long> tokens = [.. (prompt ?? []).TakeLast(PromptTokens)];
    private int read = Math.Min(PromptTokens, prompt?.Count ?? 0);   // tokens whose text is known
    private string known = "";      // part of the text of the unread tokens that was passed on
    private string held = "";       // text that may be the beginning of a stop string

    /// <summary>Whether a stop string was found; further tokens are ignored.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Adds a token, and returns the text that is certain with it; often empty.</summary>
    public string Add(long token)
    {
        if (IsStopped) return "";
        tokens.Add(token);
        return Release(NewText(atEnd: false));
    }

    /// <summary>Ends the stream, and returns the text that was held back.</summary>
    public string Finish()
    {
        if (IsStopped) return "";
        var rest = Release(NewText(atEnd: true)) + held;
        held = "";
        return rest;
    }

    /// <summary>Returns the text of the tokens that was not passed on yet, without an unfinished character at its end.</summary>
    private string NewText(bool atEnd)
    {
        var before = decode([.. tokens.Take(read)]);
        var all = decode([.. tokens]);
        if (!all.StartsWith(before, StringComparison.Ordinal)) before = Common(before, all);
        var text = all[before.Length..];
        var end = text.Length;
        while (!atEnd && end > 0 && text.Length - end < MostUnfinished && text[end - 1] == Unfinished) end--;
        var whole = text[..end];
        if (!whole.StartsWith(known, StringComparison.Ordinal))   // a later token has changed the text of an earlier one
        {
            if (!atEnd) return "";
            known = Common(known, whole);
        }
        var added = whole[known.Length..];
        known = whole;
        if (end == text.Length && text.Length > 0)
        {
            tokens.RemoveRange(0, read);   // the last tokens stay: their text decides on the spaces that follow
            read = tokens.Count;
            known = "";
        }
        return added;
    }

    /// <summary>Returns the text up to a stop string, or up to what may become one.</summary>
    private string Release(string added)
    {
        var text = held + added;
        var stop = (stopStrings ?? []).Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0)
            .DefaultIfEmpty(-1).Min();
        IsStopped = stop >= 0;
        var certain = IsStopped ? stop : text.Length - (stopStrings ?? []).Max(stop => (int?)Overlap(text, stop))
            .GetValueOrDefault();
        held = IsStopped ? "" : text[certain..];
        return text[..certain];
    }

    /// <summary>Length of the longest end of a text that a stop string begins with.</summary>
    private static int Overlap(string text, string stop)
    {
        for (var length = Math.Min(text.Length, stop.Length - 1); length > 0; length--)
            if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) return length;
        return 0;
    }

    private static string Common(string one, string other)
    {
        var length = 0;
        while (length < one.Length && length < other.Length && one[length] == other[length]) length++;
        return one[..length];
    }
}

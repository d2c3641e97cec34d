using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>
/// The pre-tokenizer and decoder of SentencePiece models in <c>tokenizer.json</c>: spaces become a visible character, with which
/// words begin.
/// </summary>
internal sealed class Metaspace
{
    private readonly string mark, scheme;
    private readonly bool splits;

    public Metaspace(JsonElement json)
    {
        mark = json.Text("replacement") ?? "\u2581";
        scheme = json.Text("prepend_scheme") ?? (json.Flag("add_prefix_space") ?? true ? "always" : "never");
        splits = json.Flag("split") ?? true;
        if (scheme is not ("always" or "never" or "first"))
            throw new FormatException($"'prepend_scheme' is '{scheme}'; expected always, never or first.");
    }

    public void Cut(Word word, List<Word> parts)
    {
        var text = word.ToString().Replace(" ", mark, StringComparison.Ordinal);
        if ((scheme == "always" || (scheme == "first" && word.AtStart)) && text.Length > 0
            && !text.StartsWith(mark, StringComparison.Ordinal)) text = mark + text;
        var start = 0;
        while (start < text.Length)
        {
            var next = splits ? text.IndexOf(mark, start + 1, StringComparison.Ordinal) : -1;
            var end = next < 0 ? text.Length : next;
            parts.Add(new Word(text, start, end - start, word.AtStart && start == 0));
            start = end;
        }
    }

    /// <summary>Makes the visible character a space again, and drops it from the first token if it is a prefix.</summary>
    public List<string> Decode(List<string> tokens) => [.. tokens.Select((token, at) =>
        token.Replace(mark, at == 0 && scheme != "never" ? "" : " ", StringComparison.Ordinal))];
}

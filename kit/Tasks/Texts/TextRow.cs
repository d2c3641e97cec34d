using ResearchKit.Data;
using ResearchKit.Models;

namespace ResearchKit.Tasks;

/// <summary>A text while it is generated: its tokens, their pieces of text, and whether a stop string has ended it.</summary>
internal sealed class TextRow(string text, IReadOnlyList<long> prompt, ITokenizer tokenizer, SamplingOptions options)
{
    private readonly List<GeneratedToken> tokens = [];
    private readonly List<string> pieces = [];
    private readonly TextStreamer streamer = new(tokenizer.Decode, prompt, options.StopStrings);

    /// <summary>Tokens of the prompt.</summary>
    public IReadOnlyList<long> Prompt => prompt;

    /// <summary>The text that became certain with the last token.</summary>
    public string LastPiece => pieces[^1];

    /// <summary>Characters that are certain so far.</summary>
    public int Length => pieces.Sum(piece => piece.Length);

    /// <summary>The options without the strings that this class looks for.</summary>
    public SamplingOptions ForTokens() => options.Validated() with { StopStrings = [] };

    /// <summary>Adds a token; returns whether a stop string has ended the text. A stop token has no text.</summary>
    public bool Add(GeneratedToken token)
    {
        tokens.Add(token);
        pieces.Add(options.StopTokens.Contains(token.Id) ? "" : streamer.Add(token.Id));
        return streamer.IsStopped;
    }

    /// <summary>Returns the text with what was held back.</summary>
    public GeneratedText Finish()
    {
        var rest = streamer.Finish();
        if (pieces.Count > 0) pieces[^1] += rest;
        return new GeneratedText(text, tokens, pieces);
    }
}

using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace ResearchKit.Data;

/// <summary>Reads tiktoken files: a line for each token, its bytes in base64 and its rank.</summary>
internal static class TiktokenFile
{
    /// <summary>Returns whether a file begins with a line of base64, a space and a number.</summary>
    public static bool IsTiktoken(ReadOnlySpan<byte> bytes)
    {
        var line = bytes[..Math.Min(bytes.Length, 1000)];
        if (line.IndexOf((byte)'\n') is >= 0 and var end) line = line[..end].TrimEnd((byte)'\r');
        var space = line.LastIndexOf((byte)' ');
        return space > 0 && space < line.Length - 1 && Base64.IsValid(line[..space])
            && line[(space + 1)..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }

    /// <param name="bytes">Content of the file.</param>
    /// <param name="name">The file, for error messages.</param>
    /// <param name="encoding">The encoding; null to choose it by the number of ranks, or else Llama 3's.</param>
    /// <param name="settings">What the files beside it say.</param>
    /// <param name="chat">Reads the chat template beside it.</param>
    public static PretrainedTokenizer Parse(ReadOnlySpan<byte> bytes, string name, TiktokenEncoding? encoding,
        TokenizerSettings? settings = null, Func<ChatTemplate?>? chat = null)
    {
        var ranks = Ranks(bytes, name);
        var vocabulary = new TokenVocabulary(ranks, $"the tiktoken file {name}");
        foreach (var symbol in ByteSymbols.All)
            if (vocabulary.Find([symbol]) < 0)
                throw new InvalidDataException($"The tiktoken file {name} of {ranks.Count} ranks lacks the byte '{symbol}'.");
        encoding ??= TiktokenEncoding.WithRanks(ranks.Count) ?? TiktokenEncoding.Llama3(ranks.Count);
        var size = ranks.Max(entry => entry.Id) + 1;
        var special = encoding.Special.Select(entry => new AddedToken(entry.Key, entry.Value) { IsSpecial = true });
        var added = new AddedTokens((settings ?? TokenizerSettings.None)
            .Complete(special, token => vocabulary.Find(token), size));
        var beginning = encoding.Beginning is { } first ? added.Find(first)?.Id : null;
        return new PretrainedTokenizer(new TokenizerParts
        {
            Name = name,
            Added = added,
            Cutter = WordCutters.ByPattern(new TokenPattern(encoding.Pattern, name), SplitBehavior.Isolated),
            WritesBytes = true,
            Model = new BytePairModel(vocabulary, Merges(ranks, vocabulary), ignoreMerges: true),
            Vocabulary = vocabulary,
            Template = beginning is null ? SequenceTemplate.None : SequenceTemplate.Around(beginning, null),
            Decoder = TokenDecoders.ByteLevel,
            Chat = chat,
            Special = new SpecialTokens
            {
                Beginning = beginning,
                End = encoding.End is { } last ? added.Find(last)?.Id : null,
                Padding = added.Find("<|finetune_right_pad_id|>")?.Id,
            },
        });
    }

    private static List<(string Token, int Id)> Ranks(ReadOnlySpan<byte> bytes, string name)
    {
        var ranks = new List<(string Token, int Id)>();
        var seen = new HashSet<int>();
        var number = 0;
        foreach (var line in Encoding.UTF8.GetString(bytes).Split('\n'))
        {
            number++;
            var parts = line.TrimEnd('\r').Split(' ');
            if (parts is [""]) continue;
            if (parts is not [var token, var rank] || !Base64.IsValid(token)
                || !int.TryParse(rank, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || !seen.Add(id))
                throw new InvalidDataException($"Line {number} of the tiktoken file {name} is '{line}'; "
                    + "expected a token in base64, a space and a rank that no other token has.");
            ranks.Add((ByteSymbols.Write(Convert.FromBase64String(token)), id));
        }
        return ranks;
    }

    /// <summary>Returns every way to merge two tokens into another one; the rank of a merge is that of its token.</summary>
    private static IEnumerable<(int Left, int Right, int Id, int Rank)> Merges(List<(string Token, int Id)> ranks,
        TokenVocabulary vocabulary)
    {
        foreach (var (token, id) in ranks)
            for (var at = 1; at < token.Length; at++)
                if (vocabulary.Find(token.AsSpan(0, at)) is >= 0 and var left
                    && vocabulary.Find(token.AsSpan(at)) is >= 0 and var right)
                    yield return (left, right, id, id);
    }
}

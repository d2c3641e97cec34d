using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Turns tokens into parts of the text, which are joined without spaces.</summary>
/// <param name="tokens">The tokens.</param>
/// <param name="isAdded">Whether a token is an added one, which stands for its own text.</param>
internal delegate List<string> TokenDecoder(List<string> tokens, Func<string, bool> isAdded);

/// <summary>The decoders of <c>tokenizer.json</c> (huggingface/tokenizers, decoders/).</summary>
internal static class TokenDecoders
{
    /// <param name="json">The object of a decoder; null for tokens that are joined by spaces.</param>
    /// <param name="name">The file, for error messages.</param>
    public static TokenDecoder Read(JsonElement? json, string name)
    {
        if (json is not { } found) return (tokens, _) => [string.Join(' ', tokens)];
        var type = found.Text("type");
        switch (type)
        {
            case "Sequence":
                var steps = found.Items("decoders").Select(step => Read(step, name)).ToArray();
                return (tokens, isAdded) => steps.Aggregate(tokens, (so, step) => step(so, isAdded));
            case "ByteLevel": return ByteLevel;
            case "ByteFallback": return (tokens, _) => ByteFallback(tokens);
            case "WordPiece": return WordPiece(found);
            case "BPEDecoder": return BytePairs(found);
            case "Metaspace":
                var metaspace = new Metaspace(found);
                return (tokens, _) => metaspace.Decode(tokens);
            case "Fuse": return (tokens, _) => [string.Concat(tokens)];
            case "Strip": return Strip(found);
            case "Replace":
                var replace = TextNormalizers.Replacing(found, name);
                return (tokens, _) => tokens.ConvertAll(token => replace(token));
            case "CTC": return Ctc(found);
            default:
                throw new InvalidDataException($"{name} has a decoder of type '{type}'; expected Sequence, ByteLevel, "
                    + "ByteFallback, "
                    + "WordPiece, BPEDecoder, Metaspace, Fuse, Strip, Replace or CTC.");
        }
    }

    /// <summary>Removes the spaces that English spelling does not have, as transformers' clean_up_tokenization does.</summary>
    public static string CleanUp(string text) => text.Replace(" .", ".", StringComparison.Ordinal)
        .Replace(" ?", "?", StringComparison.Ordinal).Replace(" !", "!", StringComparison.Ordinal)
        .Replace(" ,", ",", StringComparison.Ordinal).Replace(" ' ", "'", StringComparison.Ordinal)
        .Replace(" n't", "n't", StringComparison.Ordinal).Replace(" 'm", "'m", StringComparison.Ordinal)
        .Replace(" 's", "'s", StringComparison.Ordinal).Replace(" 've", "'ve", StringComparison.Ordinal)
        .Replace(" 're", "'re", StringComparison.Ordinal);

    /// <summary>Decodes the bytes that the tokens stand for; invalid UTF-8 becomes U+FFFD.</summary>
    public static List<string> ByteLevel(List<string> tokens, Func<string, bool> isAdded)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            if (!isAdded(token)) bytes.AddRange(ByteSymbols.Read(token));
            else
            {
                Flush();
                text.Append(token);
            }
        }
        Flush();
        return [text.ToString()];

        void Flush()
        {
            text.Append(Encoding.UTF8.GetString([.. bytes]));
            bytes.Clear();
        }
    }

    private static List<string> ByteFallback(List<string> tokens)
    {
        var result = new List<string>(tokens.Count);
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            if (token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
                && byte.TryParse(token.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                continue;
            }
            Flush();
            result.Add(token);
        }
        Flush();
        return result;

        // A run of bytes that is not UTF-8 becomes one U+FFFD for each byte.
        void Flush()
        {
            byte[] run = [.. bytes];
            if (System.Text.Unicode.Utf8.IsValid(run)) result.Add(Encoding.UTF8.GetString(run));
            else result.AddRange(run.Select(_ => "\uFFFD"));
            bytes.Clear();
        }
    }

    private static TokenDecoder WordPiece(JsonElement json)
    {
        var prefix = json.Text("prefix") ?? "##";
        var cleanup = json.Flag("cleanup") ?? true;
        return (tokens, _) => [.. tokens.Select((token, at) =>
        {
            var continues = at > 0 && token.StartsWith(prefix, StringComparison.Ordinal);
            var text = at == 0 ? token : continues ? token[prefix.Length..] : " " + token;
            return cleanup ? CleanUp(text) : text;
        })];
    }

    private static TokenDecoder BytePairs(JsonElement json)
    {
        var suffix = json.Text("suffix") ?? "</w>";
        return (tokens, _) => [.. tokens.Select((token, at) => suffix.Length == 0 ? token
            : token.Replace(suffix, at + 1 < tokens.Count ? " " : "", StringComparison.Ordinal))];
    }

    private static TokenDecoder Strip(JsonElement json)
    {
        var content = json.Text("content") ?? " ";
        var (start, stop) = (json.Number("start") ?? 0, json.Number("stop") ?? 0);
        return (tokens, _) => tokens.ConvertAll(token =>
        {
            var first = 0;
            for (; first < start && string.CompareOrdinal(token, first * content.Length, content, 0,
                content.Length) == 0; first++) { }
            var rest = token[(first * content.Length)..];
            for (var taken = 0; taken < stop && rest.EndsWith(content, StringComparison.Ordinal); taken++) rest =
                rest[..^content.Length];
            return rest;
        });
    }

    private static TokenDecoder Ctc(JsonElement json)
    {
        var blank = json.Text("pad_token") ?? "<pad>";
        var delimiter = json.Text("word_delimiter_token") ?? "|";
        var cleanup = json.Flag("cleanup") ?? true;
        return (tokens, _) => [.. tokens.Where((token, at) => at == 0 || token != tokens[at - 1])
            .Select(token => token.Replace(blank, "", StringComparison.Ordinal))
            .Select(token => cleanup ? CleanUp(token).Replace(delimiter, " ", StringComparison.Ordinal) : token)
            .Where(token => token.Length > 0)];
    }
}

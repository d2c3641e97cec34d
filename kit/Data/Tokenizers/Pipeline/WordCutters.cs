using System.Buffers;
using System.Text;
using System.Text.Json;
using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>The pre-tokenizers of <c>tokenizer.json</c> (huggingface/tokenizers, pre_tokenizers/).</summary>
internal static class WordCutters
{
    private static readonly SearchValues<char> AsciiSpaces = SearchValues.Create(" \t\n\v\f\r");

    /// <param name="json">The object of a pre-tokenizer.</param>
    /// <param name="name">The file, for error messages.</param>
    /// <param name="prefixed">Whether ByteLevel adds a space at the beginning; null to do what the object says.</param>
    public static WordCutter Read(JsonElement json, string name, bool? prefixed = null)
    {
        var type = json.Text("type");
        return type switch
        {
            "Sequence" => Sequence([.. json.Items("pretokenizers").Select(step => Read(step, name))]),
            "ByteLevel" => ByteLevel(json, prefixed),
            "BertPreTokenizer" => Sequence([AtSpaces, ByKind(BertWords.IsPunctuation, SplitBehavior.Isolated)]),
            "Whitespace" => ByPattern(new TokenPattern(@"\w+|[^\w\s]+", name), SplitBehavior.Removed, invert: true),
            "WhitespaceSplit" => AtSpaces,
            "CharDelimiterSplit" => Delimiter(json),
            "Punctuation" => ByKind(BertWords.IsPunctuation, Behavior(json, name)),
            "Digits" => ByKind(CodePoints.IsNumber, json.Flag("individual_digits") ?? false ? SplitBehavior.Isolated
                : SplitBehavior.Contiguous),
            "Metaspace" => new Metaspace(json).Cut,
            "Split" => Split(json, name),
            "FixedLength" => FixedLength(json.Number("length") ?? 5),
            _ => throw new InvalidDataException($"{name} has a pre-tokenizer of type '{type}'; expected Sequence, ByteLevel, "
                + "BertPreTokenizer, Whitespace, WhitespaceSplit, CharDelimiterSplit, Punctuation, Digits, Metaspace, Split "
                + "or FixedLength."),
        };
    }

    /// <summary>Applies pre-tokenizers one after the other.</summary>
    public static WordCutter Sequence(IReadOnlyList<WordCutter> steps) => steps is [var only] ? only : (word, parts) =>
    {
        var words = new List<Word> { word };
        foreach (var step in steps)
        {
            var next = new List<Word>(words.Count);
            foreach (var one in words) step(one, next);
            words = next;
        }
        parts.AddRange(words);
    };

    /// <summary>Splits at the matches of a pattern.</summary>
    public static WordCutter ByPattern(TokenPattern pattern, SplitBehavior behavior, bool invert = false) => (word, parts) =>
    {
        var text = word.ToString();
        WordSplitting.Split(new Word(text, word.AtStart), pattern.Matches(text), behavior, invert, parts);
    };

    /// <summary>Splits with GPT-2's pattern.</summary>
    public static void ByGpt2Words(Word word, List<Word> parts)
    {
        var text = word.ToString();
        for (var start = 0; start < text.Length;)
        {
            var end = Gpt2Words.End(text, start);
            parts.Add(new Word(text, start, end - start, word.AtStart && start == 0));
            start = end;
        }
    }

    /// <summary>Splits with GPT-2's pattern after a space at the beginning, unless there is one.</summary>
    public static void ByPrefixedGpt2Words(Word word, List<Word> parts) => ByGpt2Words(Prefixed(word), parts);

    private static Word Prefixed(Word word) => word.Length > 0 && word.Span[0] != ' ' ? new Word($" {word}", word.AtStart) : word;

    private static WordCutter ByteLevel(JsonElement json, bool? prefixed)
    {
        var prefix = prefixed ?? json.Flag("add_prefix_space") ?? true;
        if (json.Flag("use_regex") ?? true) return prefix ? ByPrefixedGpt2Words : ByGpt2Words;
        return (word, parts) =>
        {
            if (word.Length > 0) parts.Add(prefix ? Prefixed(word) : word);
        };
    }

    private static void AtSpaces(Word word, List<Word> parts)
    {
        var span = word.Span;
        for (var start = 0; start < span.Length;)
        {
            while (start < span.Length && IsSpace(span[start])) start++;
            var end = start;
            while (end < span.Length && !IsSpace(span[end])) end++;
            if (end > start) parts.Add(word.Part(start, end - start));
            start = end;
        }
    }

    private static bool IsSpace(char unit) => unit < 128 ? AsciiSpaces.Contains(unit) : CodePoints.IsWhiteSpace(unit);

    /// <summary>Splits at each character of a kind.</summary>
    private static WordCutter ByKind(Func<int, bool> isKind, SplitBehavior behavior) => (word, parts) =>
    {
        var matches = new List<(int, int)>();
        var span = word.Span;
        for (var at = 0; at < span.Length;)
        {
            var status = Rune.DecodeFromUtf16(span[at..], out var rune, out var length);
            if (isKind(status == OperationStatus.Done ? rune.Value : span[at])) matches.Add((at, length));
            at += length;
        }
        WordSplitting.Split(word, matches, behavior, invert: false, parts);
    };

    private static WordCutter Delimiter(JsonElement json)
    {
        var delimiter = json.Text("delimiter") ?? throw new FormatException("A CharDelimiterSplit lacks 'delimiter'.");
        var runes = delimiter.EnumerateRunes().ToArray();
        return runes is [var rune] ? ByKind(point => point == rune.Value, SplitBehavior.Removed)
            : throw new FormatException($"The delimiter is '{delimiter}'; expected one character.");
    }

    private static WordCutter Split(JsonElement json, string name)
    {
        var pattern = json.Child("pattern") ?? throw new FormatException("A Split lacks 'pattern'.");
        var invert = json.Flag("invert") ?? false;
        var behavior = Behavior(json, name);
        if (pattern.Text("String") is not { } literal)
        {
            var regex = pattern.Text("Regex") ?? throw new FormatException("A pattern is neither String nor Regex.");
            return ByPattern(new TokenPattern(regex, name), behavior, invert);
        }
        return (word, parts) =>
        {
            var matches = new List<(int, int)>();
            var span = word.Span;
            for (var at = 0; literal.Length > 0 && span[at..].IndexOf(literal, StringComparison.Ordinal) is >= 0 and var found;)
            {
                matches.Add((at + found, literal.Length));
                at += found + literal.Length;
            }
            WordSplitting.Split(word, matches, behavior, invert, parts);
        };
    }

    private static WordCutter FixedLength(int length) => (word, parts) =>
    {
        var start = 0;
        var count = 0;
        for (var at = 0; at < word.Length;)
        {
            Rune.DecodeFromUtf16(word.Span[at..], out _, out var units);
            at += units;
            if (++count % Math.Max(1, length) != 0 && at < word.Length) continue;
            parts.Add(word.Part(start, at - start));
            start = at;
        }
    };

    private static SplitBehavior Behavior(JsonElement json, string name)
    {
        var behavior = json.Text("behavior") ?? nameof(SplitBehavior.Isolated);
        return Enum.TryParse<SplitBehavior>(behavior, out var known) && !char.IsAsciiDigit(behavior[0]) ? known
            : throw new InvalidDataException($"{name} splits with the behavior '{behavior}'; expected "
                + $"{string.Join(", ", Enum.GetNames<SplitBehavior>())}.");
    }
}

using CsCheck;
using ResearchKit.Data;
using ResearchKit.Data.SentencePieces;

namespace ResearchKit.Tests.Data;

public sealed class TokenizerTrainingTests
{
    private static readonly Gen<string> Corpus = Gen.String[Gen.Char["aab cé\n"], 1, 60];

    [Fact]
    public void Byte_pair_merges_equal_those_of_the_naive_algorithm() => Corpus.Sample(text =>
    {
        var trained = BpeTrainer.Train([text], 257 + 12, minimumCount: 2);
        Assert.Equal(NaiveMerges(text, 12), trained.Merges.Select(merge => (merge.Left, merge.Right)));
        Assert.Equal(text, trained.Decode(trained.Encode(text)));
    }, iter: 200);

    [Fact]
    public void Byte_pair_merges_equal_those_computed_by_hand()
    {
        // hug 10, pug 5, pun 12, bun 4, hugs 5 (words without a space in front): u g 20, then u n 16, then h ug 15.
        var texts = Enumerable.Repeat("hug", 10).Concat(Enumerable.Repeat("pug", 5)).Concat(Enumerable.Repeat("pun", 12))
            .Concat(Enumerable.Repeat("bun", 4)).Concat(Enumerable.Repeat("hugs", 5));
        var trained = BpeTrainer.Train(texts, 257 + 3);
        Assert.Equal([("u", "g"), ("u", "n"), ("h", "ug")], trained.Merges);
        Assert.Equal(260, trained.VocabularySize);
        Assert.Equal(259, trained.Special.End);
        Assert.Equal(["hug", "s"], trained.Encode("hugs").Select(trained.Token));
    }

    [Fact]
    public void The_likelihood_never_falls_in_an_EM_step() =>
        Corpus.Where(text => text.Trim().Length > 0).Sample(text =>
    {
        var corpus = new UnigramCorpus([text], seeds: 40, longest: 6);
        var before = double.NegativeInfinity;
        for (var step = 0; step < 8; step++)
        {
            var now = corpus.Step();
            Assert.True(now >= before - 1e-9 * (1 + Math.Abs(before)), $"step {step}: {before} to {now}");
            before = now;
        }
        Assert.Equal(1, corpus.Scores().Sum(piece => Math.Exp(piece.Score)), 1e-2);
        corpus.Prune(corpus.Characters);
        Assert.Equal(corpus.Characters, corpus.Count);
        Assert.True(corpus.Step() <= before + 1e-9);   // fewer pieces cannot do better than those at the optimum did
    }, iter: 60);

    [Fact]
    public void One_EM_step_equals_the_enumeration_of_all_segmentations()
    {
        // One word "▁ab" once; pieces ▁, a, b, and those of two or three characters only if counted twice: so "ab ab".
        var corpus = new UnigramCorpus(["ab ab"], seeds: 100, longest: 3);
        var start = corpus.Scores().ToDictionary(piece => piece.Text, piece => Math.Exp(piece.Score));
        string[][] cuts = [["▁", "a", "b"], ["▁a", "b"], ["▁", "ab"], ["▁ab"]];
        double[] likelihoods = [.. cuts.Select(cut => cut.Aggregate(1.0, (product, piece) => product * start[piece]))];
        Assert.Equal(2 * Math.Log(likelihoods.Sum()), corpus.Step(), 1e-12);
        var expected = start.Keys.ToDictionary(piece =>
            piece, piece => cuts.Select((cut, at) => cut.Contains(piece) ? 2 * likelihoods[at] / likelihoods.Sum() : 0).Sum());
        foreach (var (text, score) in corpus.Scores())
            Assert.Equal(expected[text] / expected.Values.Sum(), Math.Exp(score), 1e-12);
    }

    [Fact]
    public void A_trained_unigram_vocabulary_compresses_text_and_decodes_it_unchanged()
    {
        var text = string.Join(' ',
            Enumerable.Range(0, 300)
            .Select(number => $"{"un re in dis".Split(' ')[number % 4]}{"do tie fold cover lock".Split(' ')[number * 7 % 5]}{"ing ed s".Split(' ')[number * 11 % 3]}"));
        var tokenizer = UnigramTrainer.Train([text], 60);
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.DoesNotContain(2L, tokenizer.Encode(text));
        Assert.True(tokenizer.Encode(text).Length < text.Length / 2);
        Assert.Equal(new SpecialTokens { Padding = 0, End = 1, Unknown = 2 }, tokenizer.Special);
        Assert.InRange(tokenizer.VocabularySize, 20, 60);
        Assert.Contains(2L, tokenizer.Encode("q"));
        var again = UnigramTrainer.Train([text], 60);
        Assert.Equal(Enumerable.Range(0, tokenizer.VocabularySize).Select(id => tokenizer.Token(id)),
            Enumerable.Range(0, again.VocabularySize).Select(id => again.Token(id)));
    }

    [Fact]
    public void A_vocabulary_trained_on_a_novel_compresses_it()
    {
        var novel = DataSets.Open("austen").ReadText("persuasion.txt.gz")[..60_000];
        var pairs = BpeTrainer.Train([novel], 600);
        Assert.Equal(600, pairs.VocabularySize);
        Assert.True(pairs.Encode(novel).Length < 0.6 * novel.Length);
        Assert.Equal(novel, pairs.Decode(pairs.Encode(novel)));
        var unigram = UnigramTrainer.Train([novel], 600);
        Assert.Equal(600, unigram.VocabularySize);
        Assert.True(unigram.Encode(novel[..5000].Replace('\n', ' ')).Length < 0.6 * 5000);
    }

    [Fact]
    public void Impossible_training_settings_are_refused()
    {
        Assert.Contains("256", Assert.Throws<ArgumentOutOfRangeException>(() => BpeTrainer.Train(["a"], 256)).Message,
            StringComparison.Ordinal);
        Assert.Contains("no word", Assert.Throws<ArgumentException>(() => UnigramTrainer.Train([" "], 100)).Message,
            StringComparison.Ordinal);
        Assert.Contains("room for 1", Assert.Throws<ArgumentException>(() => UnigramTrainer.Train(["abc"], 4)).Message,
            StringComparison.Ordinal);
        Assert.Empty(BpeTrainer.Train([], 300).Merges);
    }

    /// <summary>Sennrich's loop, with every pair counted anew at each merge.</summary>
    private static List<(string, string)> NaiveMerges(string text, int merges)
    {
        var symbols = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
        string Symbol(byte value) => value == ' ' ? "Ġ" : value == '\n' ? "Ċ" : value > 127
            ? ((char)value == 0xC3 || value == 0xA9 ? ((char)value).ToString() : throw new InvalidOperationException())
            : symbols[symbols.IndexOf((char)value)].ToString();
        var words = ByteLevelBpeTokenizer.Words(text)
            .Select(word => System.Text.Encoding.UTF8.GetBytes(word).Select(Symbol).ToList()).ToList();
        var (order, result) = (new List<string>(), new List<(string, string)>());
        int Rank(string token) => order.IndexOf(token) is >= 0 and var at ? 1000 + at : token[0];
        for (var step = 0; step < merges; step++)
        {
            var counts = new Dictionary<(string, string), int>();
            foreach (var word in words)
                for (var at = 1; at < word.Count; at++)
                    counts[(word[at - 1], word[at])] = counts.GetValueOrDefault((word[at - 1], word[at])) + 1;
            var best = counts.Where(entry => entry.Value >= 2).OrderByDescending(entry => entry.Value)
                .ThenBy(entry => Rank(entry.Key.Item1)).ThenBy(entry => Rank(entry.Key.Item2)).ToList();
            if (best.Count == 0) break;
            var (left, right) = best[0].Key;
            result.Add((left, right));
            if (!order.Contains(left + right)) order.Add(left + right);
            else step--;
            foreach (var word in words)
                for (var at = 0; at < word.Count - 1; at++)
                    if (word[at] == left && word[at + 1] == right)
                    {
                        word[at] = left + right;
                        word.RemoveAt(at + 1);
                    }
        }
        return result;
    }
}

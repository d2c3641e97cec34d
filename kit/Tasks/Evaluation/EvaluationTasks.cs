using System.Text.RegularExpressions;
using ResearchKit.Data;

namespace ResearchKit.Tasks;

/// <summary>Evaluation tasks on data sets that the kit ships.</summary>
/// <remarks>
/// The definitions of the metrics are public, but the data are not those of a public benchmark: compare models of your own with
/// them, not with published numbers.
/// </remarks>
public static partial class EvaluationTasks
{
    private const int Choices = 4, ContextSentences = 3;

    /// <summary>Perplexity of a novel of Jane Austen, with a document for each chapter.</summary>
    /// <param name="novel">Name of the file in the data set <c>austen</c>, such as <c>persuasion</c>.</param>
    /// <param name="chapters">Number of chapters, from the first on; null for all.</param>
    public static PerplexityTask Novel(string novel = "persuasion", int? chapters = null)
    {
        var all = Chapters(novel);
        return new PerplexityTask { Name = $"austen-{novel}", Documents = [.. all.Take(chapters ?? all.Count)] };
    }

    /// <summary>
    /// Whether a sentence of a review is good or bad: <c>uci-sentiment</c>, test part. The examples for few-shot prompts are the
    /// training part.
    /// </summary>
    /// <param name="documents">Number of sentences, drawn with a fixed seed; null for all.</param>
    public static MultipleChoiceTask Sentiment(int? documents = null)
    {
        static IReadOnlyList<ChoiceDocument> Part(DataPart part)
        {
            var texts = LabelledTexts.Sentiment(part);
            return [.. texts.Texts.Zip(texts.Labels, (text, label) =>
                new ChoiceDocument($"Review: {text.Trim()}\nSentiment:", ["bad", "good"], (int)label))];
        }
        return new MultipleChoiceTask
        {
            Name = "sentiment",
            Documents = Drawn(Part(DataPart.Test), documents),
            Examples = Part(DataPart.Train),
        };
    }

    /// <summary>
    /// Which sentence follows three sentences of a novel: the true one, or one of three others of the same novel that are of
    /// similar length (within a quarter), so that neither names nor length decide. Nothing else makes the others hard.
    /// </summary>
    /// <param name="novel">Name of the file in the data set <c>austen</c>.</param>
    /// <param name="documents">Number of questions; fewer if the novel has not enough sentences of similar length.</param>
    /// <param name="seed">Seed of the drawing.</param>
    public static MultipleChoiceTask NextSentence(string novel = "persuasion", int documents = 200, int seed = 0)
    {
        var sentences = Chapters(novel).Select(Sentences).ToList();
        var all = sentences.SelectMany(chapter => chapter).ToList();
        var places = (from chapter in Enumerable.Range(0, sentences.Count)
                      from at in Enumerable.Range(ContextSentences, Math.Max(0, sentences[chapter].Count - ContextSentences))
                      select (chapter, at)).ToList();
        var random = Shuffle.Random(seed, 0);
        var found = new List<ChoiceDocument>();
        while (found.Count < documents && places.Count > 0)
        {
            var place = random.Below(places.Count);
            var (chapter, at) = places[place];
            places.RemoveAt(place);
            if (Question(sentences[chapter], at, all, ref random) is { } question) found.Add(question);
        }
        return new MultipleChoiceTask { Name = $"next-sentence-{novel}", Documents = found };
    }

    private static ChoiceDocument? Question(List<string> chapter, int at, List<string> all, ref SplitMix64 random)
    {
        var right = chapter[at];
        var near = chapter.Skip(at - ContextSentences).Take(ContextSentences + 1).ToHashSet(StringComparer.Ordinal);
        var similar = all.Where(other => !near.Contains(other) && Math.Abs(other.Length - right.Length) <= right.Length / 4)
            .Distinct(StringComparer.Ordinal).ToList();
        if (similar.Count < Choices - 1) return null;
        var choices = new List<string>();
        while (choices.Count < Choices - 1)
        {
            var drawn = random.Below(similar.Count);
            choices.Add(similar[drawn]);
            similar.RemoveAt(drawn);
        }
        var answer = random.Below(Choices);
        choices.Insert(answer, right);
        return new ChoiceDocument(string.Join(' ', chapter.Skip(at - ContextSentences).Take(ContextSentences)), choices, answer);
    }

    private static List<string> Chapters(string novel)
    {
        var parts = ChapterTitle().Split(DataSets.Open("austen").ReadText($"{novel}.txt.gz").ReplaceLineEndings("\n"));
        return [.. parts.Skip(1).Select(part => part.Trim()).Where(part => part.Length > 0)];
    }

    /// <summary>Sentences of a chapter in one line each; without headings and short exclamations.</summary>
    private static List<string> Sentences(string chapter) =>
        [.. SentenceEnd().Split(Spaces().Replace(chapter, " ")).Select(sentence => sentence.Trim())
            .Where(sentence => sentence.Length is >= 40 and <= 300)];

    private static IReadOnlyList<T> Drawn<T>(IReadOnlyList<T> items, int? count)
    {
        if (count is not { } wanted || wanted >= items.Count) return items;
        var order = Enumerable.Range(0, items.Count).Select(at => (long)at).ToArray();
        Shuffle.InPlace(order, 0, 0);
        return [.. order.Take(wanted).Order().Select(at => items[(int)at])];
    }

    [GeneratedRegex(@"^[ \t]*chapter\b.*$", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex ChapterTitle();

    [GeneratedRegex(@"(?<=[.!?][""”’']?)\s+(?=[""“A-Z])")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}

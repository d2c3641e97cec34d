using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Tasks;

namespace ResearchKit.Tests.Tasks;

public sealed class EvaluationTests : IDisposable
{
    private static readonly ChoiceDocument[] Examples =
        [.. Enumerable.Range(0, 6).Select(at => new ChoiceDocument($"q{at}", ["yes", "no"], at % 2))];

    private readonly Gpt model = TinyModels.OfBytes(9, contextLength: 256);
    private readonly ByteTokenizer bytes = new();

    public void Dispose() => model.Dispose();

    [Fact]
    public void The_metrics_of_a_task_follow_from_the_log_probabilities_of_its_choices()
    {
        var documents = new[]
        {
            new ChoiceDocument("Is snow white?", ["yes", "certainly not", "ö"], 0),
                new ChoiceDocument("Is coal white?", ["yes", "no"], 1),
            new ChoiceDocument("Is it?", ["a", "bb", "ccc", "dddd"], 3), new ChoiceDocument("Or not?", ["x", "yyyyyyyy"], 0),
        };
        var task = new MultipleChoiceTask { Name = "colours", Documents = documents };
        var scoring = new TextScoring(model, bytes);
        var result = task.Evaluate(scoring);

        var scores = documents.Select(document => document.Choices
            .Select(choice => scoring.Score(document.Prompt, " " + choice)[0].LogProbability).ToList()).ToList();
        double Share(Func<double, string, double> of) => documents.Zip(scores, (document, own) => document.Answer == Enumerable
            .Range(0, own.Count).MaxBy(at => of(own[at], document.Choices[at])) ? 1.0 : 0.0).Average();
        Assert.Equal(Share((log, _) => log), result["acc"].Value);
        Assert.Equal(Share((log, choice) => log / choice.Length), result["acc_norm"].Value);
        Assert.Equal(Share((log, choice) => log / (choice == "ö" ? 2 : choice.Length)), result["acc_bytes"].Value);
        Assert.Equal((1 / 3.0 + 1 / 2.0 + 1 / 4.0 + 1 / 2.0) / 4, result["chance"].Value, 12);
        Assert.Equal(4, result.Answers.Count);
        Assert.All(result.Answers.Zip(scores), pair =>
            Assert.Equal(pair.Second, pair.First.Scores.Select(score => score.LogProbability), (a, b) => Math.Abs(a - b) < 1e-4));
        Assert.Contains("acc_norm", result.ToString(), StringComparison.Ordinal);
        Assert.Contains("acc, acc_norm", Assert.Throws<KeyNotFoundException>(() => result["f1"]).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_standard_error_of_a_mean_is_that_of_its_sample()
    {
        // 3 of 4 hits: variance (3 x 0.0625 + 0.5625) / 3 = 0.25, error sqrt(0.25 / 4)
        Assert.Equal(0.25, StandardErrors.OfMean([1, 1, 0, 1])!.Value, 12);
        Assert.Null(StandardErrors.OfMean([1]));
        Assert.Equal(0, StandardErrors.OfMean([1, 1, 1]));
        double[] values = [.. Enumerable.Range(0, 200).Select(at => Math.Sin(at))];
        Assert.Equal(StandardErrors.OfMean(values)!.Value, StandardErrors.Bootstrapped(values, drawn => drawn.Average())!.Value,
            0.005);
        Assert.Null(StandardErrors.Bootstrapped([1], drawn => drawn[0]));
    }

    [Fact]
    public void Examples_stand_before_the_question_and_depend_on_the_seed()
    {
        var task = new MultipleChoiceTask
        {
            Name = "shots",
            Documents = [new("q?", ["yes", "no"], 0), new("r?", ["yes", "no"], 0)],
            Examples = Examples,
            Shots = 2,
            Description = "Answer.\n",
        };
        var prompt = task.Prompt(0);
        Assert.Equal(prompt, task.Prompt(0));
        Assert.Matches(@"^Answer\.\nq\d (yes|no)\n\nq\d (yes|no)\n\nq\?$", prompt);
        Assert.NotEqual(prompt.Split("\n\n")[0], prompt.Split("\n\n")[1]);   // drawn without replacement
        Assert.Contains(Enumerable.Range(0, 5), seed => (task with { Seed = seed }).Prompt(0) != prompt);
        foreach (var example in prompt["Answer.\n".Length..].Split("\n\n").SkipLast(1))
            Assert.Equal(example[1] % 2 == 0 ? "yes" : "no", example[3..]);
        Assert.Equal("q?", (task with { Shots = 0, Description = "" }).Prompt(0));
        Assert.Throws<ArgumentException>(() => (task with { Shots = 7 }).Evaluate(new TextScoring(model, bytes)));
    }

    [Fact]
    public void Perplexity_divides_sums_over_all_texts()
    {
        string[] texts = ["It was a dark night.", "Rain."];
        var scoring = new TextScoring(model, bytes) { PrefixToken = 10 };
        var each = texts.Select(text => scoring.Perplexity(text)).ToList();
        var result = new PerplexityTask { Name = "nights", Documents = texts }.Evaluate(scoring);
        var nats = -each.Sum(score => score.LogProbability);
        Assert.Equal(Math.Exp(nats / 6), result["word_perplexity"].Value, Math.Exp(nats / 6) * 1e-9);
        Assert.Equal(nats / 25 / Math.Log(2), result["bits_per_byte"].Value, 9);
        Assert.Equal(Math.Exp(nats / 25), result["byte_perplexity"].Value, Math.Exp(nats / 25) * 1e-9);
        Assert.NotNull(result["bits_per_byte"].StandardError);
        Assert.Null(new PerplexityTask { Name = "one", Documents = [texts[0]] }.Evaluate(scoring)["bits_per_byte"].StandardError);
    }

    [Fact]
    public void Several_tasks_make_a_table_and_report_their_progress()
    {
        var shares = new List<double>();
        var tasks = new IEvaluationTask[]
        {
            MultipleChoiceTask.Of("small", Examples, one => one.Prompt, one => one.Choices, one => one.Answer),
            new PerplexityTask { Name = "texts", Documents = ["One.", "Two."] },
        };
        var result = model.Evaluate(bytes, tasks, batchSize: 4, progress: new Collected(shares));
        Assert.Equal(6, result["small"].Documents);
        Assert.Equal(1, shares[^1]);
        Assert.Equal(shares.Order(), shares);
        var lines = result.ToString().Split('\n');
        Assert.StartsWith("task", lines[0], StringComparison.Ordinal);
        Assert.Equal(9, lines.Length);
        Assert.Throws<KeyNotFoundException>(() => result["none"]);
        Assert.Throws<OperationCanceledException>(() => model.Evaluate(bytes, tasks, cancellation: new CancellationToken(true)));
        Assert.Throws<ArgumentException>(() => model.Evaluate(bytes, [new PerplexityTask { Name = "none", Documents = [] }]));
        Assert.Throws<ArgumentException>(() => model.Evaluate(bytes,
            [new MultipleChoiceTask { Name = "wrong", Documents = [new("a", ["b"], 1)] }]));
    }

    [Fact]
    public void Tasks_of_shipped_data_are_well_formed()
    {
        var novel = EvaluationTasks.Novel("emma", chapters: 2);
        Assert.Equal(2, novel.Documents.Count);
        Assert.StartsWith("Emma Woodhouse, handsome, clever, and rich", novel.Documents[0], StringComparison.Ordinal);
        Assert.All(new[] { ("emma", 55), ("persuasion", 24) }, pair =>
            Assert.Equal(pair.Item2, EvaluationTasks.Novel(pair.Item1).Documents.Count));

        var sentiment = EvaluationTasks.Sentiment(documents: 50);
        Assert.Equal(50, sentiment.Documents.Count);
        Assert.Empty(sentiment.Documents.Select(one => one.Prompt).Intersect(sentiment.Examples.Select(one => one.Prompt)));
        Assert.Equal(sentiment.Documents.Select(one => one.Prompt),
            EvaluationTasks.Sentiment(documents: 50).Documents.Select(one => one.Prompt));

        var next = EvaluationTasks.NextSentence("persuasion", documents: 40);
        Assert.Equal(40, next.Documents.Count);
        Assert.All(next.Documents, document =>
        {
            Assert.Equal(4, document.Choices.Distinct().Count());
            var right = document.Choices[document.Answer];
            Assert.All(document.Choices, choice => Assert.InRange(choice.Length, right.Length * 0.75 - 1,
                right.Length * 1.25 + 1));
        });
        Assert.Equal([0, 1, 2, 3], next.Documents.Select(document => document.Answer).Distinct().Order());
        // the true sentence does follow in the novel
        var words = string.Join(' ', DataSets.Open("austen").ReadText("persuasion.txt.gz")
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.All(next.Documents, document => Assert.Contains(document.Choices[document.Answer], words,
            StringComparison.Ordinal));
    }

    private sealed class Collected(List<double> values) : IProgress<double>
    {
        public void Report(double value) => values.Add(value);
    }
}

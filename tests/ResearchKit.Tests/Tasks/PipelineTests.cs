using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tasks;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Tasks;

/// <summary>Pipelines with models of random weights.</summary>
public sealed class PipelineTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipeline").FullName;

    public PipelineTests() => Compute.Seed(21);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Texts_are_classified_as_the_model_does_alone()
    {
        using var model = TinyModels.Sharpened(new BertForSequenceClassification(TinyModels.BertOf()));
        var pipeline = new TextClassification(model, TinyModels.Words, ["good", "bad", "other"]) { BatchSize = 2 };
        string[] texts = ["the cat sat on the mat.", "a dog", "cats"];
        var found = pipeline.Classify(texts);
        for (var row = 0; row < texts.Length; row++)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var expected = model.call(tensor(TinyModels.Words.EncodeForBert(texts[row]).Ids).unsqueeze(0))[0].softmax(0);
            Assert.Equal(1, found[row].Labels.Sum(one => one.Score), 1e-5);
            Assert.Equal(new[] { "good", "bad", "other" }[expected.argmax().item<long>()], found[row].Label);
            Assert.Equal(expected.max().item<float>(), found[row].Score, 1e-5);
            Assert.Equal(texts[row], found[row].Input);
        }
        // a text that is too long loses its end
        Assert.Single(pipeline.Classify(string.Concat(Enumerable.Repeat("cat ", 100))));
        Assert.Empty(pipeline.Classify());
        Assert.Throws<ArgumentException>(() => new TextClassification(model, TinyModels.Words, ["one"]));
        Assert.Throws<OperationCanceledException>(() => pipeline.Classify(texts, new CancellationToken(true)));
    }

    [Fact]
    public void A_classifier_opens_with_the_names_of_its_labels()
    {
        using var model = new BertForSequenceClassification(TinyModels.BertOf(2));
        model.SavePretrained(folder);
        SaveWords();
        Assert.Equal(["LABEL_0", "LABEL_1"], TextClassification.FromPretrained(folder).Classify("cat")[0].Labels
            .Select(one => one.Label).Order());
        var config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"0\": \"LABEL_0\"", "\"0\": \"negative\"",
            StringComparison.Ordinal)
            .Replace("\"architectures\"", "\"problem_type\": \"multi_label_classification\", \"architectures\"",
                StringComparison.Ordinal));
        var pipeline = TextClassification.FromPretrained(folder);
        Assert.Equal(ScoreFunction.Sigmoid, pipeline.Function);
        Assert.Equal(["LABEL_1", "negative"], pipeline.Classify("cat")[0].Labels.Select(one => one.Label).Order());
    }

    [Fact]
    public void Masks_are_filled_with_the_likeliest_tokens()
    {
        using var model = TinyModels.Sharpened(new BertForMaskedLanguageModel(TinyModels.BertOf()));
        var pipeline = new FillMask(model, TinyModels.Words);
        var found = pipeline.Fill("the [MASK] sat on the [MASK].", count: 16);
        Assert.Equal([0, 1], found.Select(one => one.Mask));
        foreach (var one in found)
        {
            Assert.Equal(1, one.Candidates.Sum(candidate => candidate.Probability), 1e-5);   // the whole vocabulary
            Assert.Equal(one.Candidates.OrderByDescending(candidate => candidate.Probability), one.Candidates);
        }
        string Text(int mask, string token) => found[mask].Candidates.Single(candidate => candidate.Token == token).Text;
        Assert.Equal("the cat sat on the [MASK].", Text(0, "cat"));
        Assert.Equal("the [MASK] sat on the mat.", Text(1, "mat"));
        Assert.Equal("thes sat on the [MASK].", Text(0, "##s"));
        Assert.Equal(3, pipeline.Fill("[MASK]", count: 3)[0].Candidates.Count);
        Assert.Contains("[MASK]", Assert.Throws<ArgumentException>(() => pipeline.Fill("the cat")).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => pipeline.Fill(string.Concat(Enumerable.Repeat("[MASK] ", 40))));
    }

    [Fact]
    public void A_fill_mask_model_opens_from_a_folder()
    {
        using var model = new BertForMaskedLanguageModel(TinyModels.BertOf());
        model.SavePretrained(folder);
        SaveWords();
        Assert.Equal(5, FillMask.FromPretrained(folder).Fill("a [MASK]")[0].Candidates.Count);
    }

    [Fact]
    public void Texts_become_texts()
    {
        var symbols = new SymbolTokenizer(["abcdefg"], spaced: false);
        using var model = TinyModels.Sharpened(new T5(T5Config.Nano with { VocabularySize = symbols.VocabularySize }), 1.5);
        var pipeline = new TextToText(model, symbols) { Options = SamplingOptions.Greedy with { MaximumTokens = 12 } };
        string[] sources = ["abc", "g", "fedcbafedcba"];
        var batch = pipeline.Write(sources);
        for (var row = 0; row < sources.Length; row++)
        {
            var alone = model.Generate(symbols.EncodeWithEnd(sources[row]),
                SamplingOptions.Greedy with { MaximumTokens = 12, StopToken = 1 });
            Assert.Equal(symbols.Decode([.. alone.Select(token => token.Id)]), batch[row].Text);
            Assert.Equal(sources[row], batch[row].Source);
        }
        var prefixed = new TextToText(model, symbols) { Prefix = "gg", Options = pipeline.Options };
        Assert.Equal(pipeline.Write("ggabc")[0].Text, prefixed.Write("abc")[0].Text);
        var beams = new TextToText(model, symbols) { Beams = 3, Options = pipeline.Options }.Write("abc")[0];
        var best = model.SearchBeams(symbols.EncodeWithEnd("abc"),
            new BeamOptions { Beams = 3, MaximumTokens = 12, StopToken = 1 })[0];
        Assert.Equal(symbols.Decode(best.Tokens), beams.Text);
        Assert.Throws<OperationCanceledException>(() => pipeline.Write(sources, new CancellationToken(true)));
    }

    [Fact]
    public void Speech_becomes_text()
    {
        using var model = new Spelling();
        using var clip = new AudioClip(zeros(1, 4000), 8000);
        var recognition = new SpeechRecognition(model, ["h", "e", "l", "o", " "], SpeechRecognition.LogMel(MelOptions.At8kHz));
        var greedy = recognition.Transcribe(clip);
        Assert.Equal(("hello", 0.5), (greedy.Text, greedy.Seconds));
        Assert.Null(greedy.LogProbability);
        var beam = new SpeechRecognition(model, ["h", "e", "l", "o", " "],
            SpeechRecognition.LogMel(MelOptions.At8kHz))
        { BeamWidth = 8 };
        Assert.Equal("hello", beam.Transcribe(clip).Text);
        Assert.InRange(beam.Transcribe(clip).LogProbability!.Value, -1, 0);

        var path = Path.Combine(folder, "stereo.wav");
        using (var stereo = new AudioClip(zeros(2, 8000), 16_000)) File.WriteAllBytes(path, WavFile.Write(stereo));
        Assert.Equal("hello", recognition.Transcribe(path)[0].Text);   // mixed to one channel, and resampled
        Assert.Contains("expected 3", Assert.Throws<ArgumentException>(() =>
            new SpeechRecognition(model, ["a", "b"], SpeechRecognition.LogMel(MelOptions.At8kHz)).Transcribe(clip)).Message,
            StringComparison.Ordinal);
        _ = recognition.Transcribe(clip);
        var before = LiveTensors.Count;
        _ = recognition.Transcribe(clip);
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Images_are_classified_and_their_format_does_not_matter()
    {
        using var model = TinyModels.Sharpened(new Vit(VitConfig.Nano));
        var labels = Enumerable.Range(0, model.Config.Classes).Select(label => $"class {label}").ToList();
        var pipeline = new ImageClassification(model, labels) { Mean = [0.5], Deviation = [0.25], BatchSize = 2 };
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var size = model.Config.ImageSize;
        var images = randint(0, 256, [3, model.Config.Channels, size, size], ScalarType.Byte);
        var found = pipeline.Classify(images);
        var expected = model.call((images.to(float32) / 255 - 0.5) / 0.25).softmax(-1);
        for (var row = 0; row < 3; row++)
        {
            Assert.Equal($"class {expected[row].argmax().item<long>()}", found[row].Label);
            Assert.Equal(expected[row].max().item<float>(), found[row].Score, 1e-5);
        }
        Assert.Equal(found[1].Labels, pipeline.Classify(images[1])[0].Labels, (a, b) => a.Label == b.Label
            && Math.Abs(a.Score - b.Score) < 1e-5);
        Assert.Equal(found[0].Score, pipeline.Classify(images[0].to(float32) / 255)[0].Score, 1e-5);
        var resizing = new ImageClassification(model, labels) { ImageSize = size };
        Assert.Single(resizing.Classify(randint(0, 256, [model.Config.Channels, size * 2, size * 3], ScalarType.Byte)));
        Assert.Throws<ArgumentException>(() => pipeline.Classify(zeros(3, 3)));
        Assert.Throws<ArgumentException>(() => new ImageClassification(model, ["one"]).Classify(images));
    }

    [Fact]
    public void An_image_classifier_opens_with_its_preprocessing()
    {
        using var model = new Vit(VitConfig.Nano);
        model.SavePretrained(folder);
        File.WriteAllText(Path.Combine(folder, "preprocessor_config.json"),
            """{"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3]}""");
        var pipeline = ImageClassification.FromPretrained(folder);
        Assert.Equal([0.1, 0.2, 0.3], pipeline.Mean);
        Assert.Equal([1, 2, 3], pipeline.Deviation);
        Assert.Equal(model.Config.ImageSize, pipeline.ImageSize);
    }

    private void SaveWords() => File.WriteAllLines(Path.Combine(folder, "vocab.txt"),
        Enumerable.Range(0, TinyModels.Words.VocabularySize).Select(id => TinyModels.Words.Token(id)));

    /// <summary>Says "hello" whatever it hears: h e l blank l o.</summary>
    private sealed class Spelling() : nn.Module<Tensor, Tensor>(nameof(Spelling))
    {
        public override Tensor forward(Tensor features)
        {
            using var scope = NewDisposeScope();
            var path = tensor(new long[] { 1, 1, 2, 3, 0, 3, 4, 0 });
            return (nn.functional.one_hot(path, 6).to(float32) * 8).unsqueeze(0).MoveToOuterDisposeScope();
        }
    }
}

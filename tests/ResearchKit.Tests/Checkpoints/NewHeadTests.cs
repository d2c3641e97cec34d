using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Published models get a new head, none, another image size, another vocabulary, and say what is new.</summary>
public sealed class NewHeadTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_file_without_a_head_is_refused_with_the_way_to_a_new_one()
    {
        Place("bert-cls-a", name => !name.StartsWith("classifier", StringComparison.Ordinal));
        var message = Assert.Throws<InvalidDataException>(() => BertForSequenceClassification.FromPretrained(folder.Path))
            .Message;
        Assert.Contains("classifier.weight is missing; classifier.bias is missing. "
            + "FromPretrained(folder, labels: 5) makes a new head for 5 labels.", message, StringComparison.Ordinal);
        Assert.DoesNotContain("labels: 0", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 5)]
    [InlineData(true, 3)]
    [InlineData(false, 5)]
    public void Labels_make_a_new_head_and_the_report_says_so(bool without, int labels)
    {
        Place("bert-cls-a", name => !without || !name.StartsWith("classifier", StringComparison.Ordinal));
        using var model = BertForSequenceClassification.FromPretrained(folder.Path, labels: labels);
        Assert.Equal(labels, model.Config.Labels);
        Assert.Equal([2, labels], model.call(ones([2, 4], int64)).shape);
        using var reader = CheckpointReader.Open(folder.PathTo("model.safetensors"));
        foreach (var (name, tensor) in model.state_dict().Where(pair => !pair.Key.StartsWith("classifier",
            StringComparison.Ordinal)))
            Assert.True(tensor.Same(reader.Read(name)), name);
        var report = model.LoadReport!;
        Assert.Equal(
        [
            $"classifier.weight [{labels}, 32] ({(without ? "missing in the file" : "[3, 32] in the file")})",
            $"classifier.bias [{labels}] ({(without ? "missing in the file" : "[3] in the file")})",
        ], report.New);
        Assert.Contains("New, with initial values, train before use: classifier.weight", report.ToString(),
            StringComparison.Ordinal);
        Assert.Contains($"{report.Tensors - 2} of {report.Tensors} tensors loaded", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void As_many_labels_as_the_file_has_keep_its_head()
    {
        Place("bert-cls-a", _ => true);
        using var plain = BertForSequenceClassification.FromPretrained(folder.Path);
        using var model = BertForSequenceClassification.FromPretrained(folder.Path, labels: 3);
        Assert.Empty(model.LoadReport!.New);
        Assert.True(plain.call(ones([1, 4], int64)).Same(model.call(ones([1, 4], int64))));
        Assert.Contains("labels is 0; it must be at least 1",
            Assert.Throws<ArgumentException>(() => BertForSequenceClassification.FromPretrained(folder.Path, labels: 0)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_encoder_goes_out_of_a_classifier_and_back_into_one()
    {
        Place("bert-cls-a", _ => true);
        using var encoder = Bert.FromPretrained(folder.Path);
        Assert.Contains("classifier.weight", encoder.LoadReport!.LeftOut);
        encoder.SavePretrained(folder.PathTo("encoder"));
        using var classifier = BertForSequenceClassification.FromPretrained(folder.PathTo("encoder"), labels: 4);
        using var tokens = BertForTokenClassification.FromPretrained(folder.PathTo("encoder"), labels: 7);
        var input = arange(5, int64).unsqueeze(0);
        Assert.True(encoder.Features(input).Same(classifier.Bert.Features(input)));
        Assert.Equal([1, 5, 7], tokens.call(input).shape);
        Assert.All(classifier.LoadReport!.New, name => Assert.StartsWith("classifier.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void A_masked_language_model_becomes_a_classifier_with_a_new_pooler_too()
    {
        Place("bert-mlm-a", name => !name.Contains("pooler", StringComparison.Ordinal));
        using var model = BertForSequenceClassification.FromPretrained(folder.Path, labels: 2);
        Assert.Equal(["bert.pooler.dense.bias", "bert.pooler.dense.weight", "classifier.bias", "classifier.weight"],
            model.LoadReport!.New.Select(name => name.Split(' ')[0]).Order());
        Assert.Contains(model.LoadReport!.LeftOut, name => name.StartsWith("cls.", StringComparison.Ordinal));
    }

    [Fact]
    public void Sizes_other_than_the_heads_are_ignored_only_when_asked()
    {
        Place("bert-cls-a", _ => true);
        var config = File.ReadAllText(folder.PathTo("config.json"));
        File.WriteAllText(folder.PathTo("config.json"), config.Replace("\"intermediate_size\": 64", "\"intermediate_size\": 48",
            StringComparison.Ordinal));
        Assert.Contains("intermediate.dense.weight is [64, 32], the model has [48, 32]",
            Assert.Throws<InvalidDataException>(() => BertForSequenceClassification.FromPretrained(folder.Path, labels: 5))
                .Message,
            StringComparison.Ordinal);
        using var model = BertForSequenceClassification.FromPretrained(folder.Path, ignoreMismatched: true);
        Assert.Contains(model.LoadReport!.New, name => name.Contains("intermediate.dense.weight [48, 32] ([64, 32] in the file)",
            StringComparison.Ordinal));
        Assert.DoesNotContain(model.LoadReport!.New, name => name.StartsWith("classifier", StringComparison.Ordinal));
    }

    [Fact]
    public void A_vision_transformer_gets_a_new_head_or_none()
    {
        Place("vit-a", name => !name.StartsWith("classifier", StringComparison.Ordinal));
        Assert.Contains("labels: 0 leaves the head out",
            Assert.Throws<InvalidDataException>(() => Vit.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
        using var headed = Vit.FromPretrained(folder.Path, labels: 7);
        using var bare = Vit.FromPretrained(folder.Path, labels: 0);
        var images = rand(2, headed.Config.Channels, 24, 24);
        Assert.Equal([2, 7], headed.call(images).shape);
        Assert.True(bare.call(images).Same(headed.Features(images)[.., 0].contiguous()));
        bare.SavePretrained(folder.PathTo("bare"));
        using var again = Vit.FromPretrained(folder.PathTo("bare"));
        Assert.True(again.call(images).Same(bare.call(images)));
        using var back = Vit.FromPretrained(folder.PathTo("bare"), labels: 3);
        Assert.Equal([2, 3], back.call(images).shape);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void Position_embeddings_are_interpolated_as_PyTorch_does(int side)
    {
        using var golden = CheckpointReader.Open(
            Repository.PathTo("tests", "ResearchKit.Tests", "Checkpoints", "Fixtures", "positions.pt"));
        var into = empty(1, 1 + (side * side), 4);
        Resizing.Positions(golden.Read("from"), into);
        Assert.InRange((into - golden.Read($"to{side}")).abs().max().item<float>(), 0, 2e-6);   // sums of 16 products in float32
    }

    [Fact]
    public void A_vision_transformer_reads_images_of_another_size()
    {
        Place("vit-a", _ => true);
        using var model = Vit.FromPretrained(folder.Path, imageSize: 48);
        Assert.Equal(48, model.Config.ImageSize);
        Assert.Equal(2, model.call(rand(1, model.Config.Channels, 48, 48)).dim());
        Assert.Contains("vit.embeddings.position_embeddings", model.LoadReport!.Resized.Single(), StringComparison.Ordinal);
        using var same = Vit.FromPretrained(folder.Path, imageSize: 24);
        Assert.Empty(same.LoadReport!.Resized);
        model.SavePretrained(folder.PathTo("larger"));
        using var again = Vit.FromPretrained(folder.PathTo("larger"));
        Assert.All(again.state_dict(), pair => Assert.True(pair.Value.Same(model.state_dict()[pair.Key]), pair.Key));
        File.WriteAllText(folder.PathTo("config.json"), File.ReadAllText(folder.PathTo("config.json"))
            .Replace("\"image_size\": 24", "\"image_size\": 48", StringComparison.Ordinal));
        Assert.Contains("FromPretrained(folder, imageSize: 384) interpolates",
            Assert.Throws<InvalidDataException>(() => Vit.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Convolutional_networks_get_a_new_head_or_none()
    {
        using var network = new ResNet(new ResNetConfig { Blocks = [1, 1, 1, 1], Classes = 10 });
        network.SavePretrained(folder.Path);
        using var headed = ResNet.FromPretrained(folder.Path, labels: 4);
        using var bare = ResNet.FromPretrained(folder.Path, labels: 0);
        network.eval();
        var images = rand(2, 3, 32, 32);
        Assert.Equal([2, 4], headed.call(images).shape);
        Assert.True(headed.Features(images).Same(network.Features(images)));
        Assert.True(bare.call(images).Same(network.Features(images).mean([2, 3])) || bare.call(images).allclose(
            network.Features(images).mean([2, 3])));
        Assert.Contains("fc.weight", bare.LoadReport!.LeftOut);
        bare.SavePretrained(folder.PathTo("bare"));
        using var again = ResNet.FromPretrained(folder.PathTo("bare"));
        Assert.True(again.call(images).Same(bare.call(images)));
    }

    [Fact]
    public void Every_image_classifier_can_be_without_a_head()
    {
        var images = rand(1, 1, 28, 28);
        (nn.Module<Tensor, Tensor> Network, long Channels, Tensor Images)[] networks =
        [
            (new Vit(VitConfig.Nano with { Classes = 0 }), 32, images),
            (new ResNet(ResNetConfig.Nano with { Classes = 0 }), 128, images),
            (new Vgg(VggConfig.Nano with { Classes = 0 }), 128, images),
            (new GoogLeNet(GoogLeNetConfig.Nano with { Classes = 0, AuxiliaryHeads = true }), 256, images),
            (new InceptionV3(InceptionV3Config.Nano with { Classes = 0 }), 256, rand(1, 3, 75, 75)),
        ];
        foreach (var (network, channels, input) in networks)
        {
            network.eval();
            Assert.Equal([1, channels], network.call(input).shape);
            network.Dispose();
        }
        Assert.Contains("Classes is -1", Assert.Throws<ArgumentException>(() => new Vit(VitConfig.Nano with { Classes = -1 }))
            .Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt2-a")]
    [InlineData("llama-a")]
    [InlineData("t5-a")]
    [InlineData("bert-mlm-a")]
    public void Token_embeddings_are_resized(string name)
    {
        Place(name, _ => true);
        using var file = CheckpointReader.Open(folder.PathTo("model.safetensors"));
        foreach (var more in new[] { 7, -7 })
        {
            using var inner = NewDisposeScope();
            var (table, size, model) = Sized(name, more);
            Assert.Contains(model.LoadReport!.Resized, text => text.StartsWith($"{table} ", StringComparison.Ordinal));
            var own = model.state_dict()[table];
            var from = file.Read(file.Entries.Keys.First(key => table.EndsWith(key, StringComparison.Ordinal)
                || key.EndsWith(table, StringComparison.Ordinal)));
            Assert.Equal(size + more, own.shape[0]);
            Assert.True(own.narrow(0, 0, Math.Min(size, size + more)).Same(from.narrow(0, 0, Math.Min(size, size + more))));
            model.Dispose();
        }
    }

    private (string Table, int Size, nn.Module Model) Sized(string name, int more)
    {
        switch (name)
        {
            case "gpt2-a":
                using (var whole = Gpt.FromPretrained(folder.Path))
                    return ("wte.weight", whole.Config.VocabularySize,
                        Gpt.FromPretrained(folder.Path, vocabularySize: whole.Config.VocabularySize + more));
            case "llama-a":
                using (var whole = Llama.FromPretrained(folder.Path))
                    return ("model.embed_tokens.weight", whole.Config.VocabularySize,
                        Llama.FromPretrained(folder.Path, vocabularySize: whole.Config.VocabularySize + more));
            case "t5-a":
                using (var whole = T5.FromPretrained(folder.Path))
                    return ("shared.weight", whole.Config.VocabularySize,
                        T5.FromPretrained(folder.Path, vocabularySize: whole.Config.VocabularySize + more));
            default:
                using (var whole = BertForMaskedLanguageModel.FromPretrained(folder.Path))
                    return ("bert.embeddings.word_embeddings.weight", whole.Config.VocabularySize,
                        BertForMaskedLanguageModel.FromPretrained(folder.Path,
                            vocabularySize: whole.Config.VocabularySize + more));
        }
    }

    private void Place(string name, Func<string, bool> keep)
    {
        var golden = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);
        File.Copy(Path.Combine(golden, "config.json"), folder.PathTo("config.json"));
        var tensors = SafetensorsFile.Read(Path.Combine(golden, "model.safetensors"));
        SafetensorsFile.Write(folder.PathTo("model.safetensors"), tensors.Where(pair => keep(pair.Key)));
    }
}

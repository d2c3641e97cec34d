using System.Text.Json;
using System.Text.Json.Nodes;
using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Folders with torchvision's and PyTorch's names become the kit's networks.</summary>
[Trait("Tier", "slow")]
public sealed class VisionPretrainedTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_ResNet_checkpoint_gives_the_reference_outputs()
    {
        using var golden = new GoldenCase("resnet50-w8-b");
        using var source = new ResNet(ResNetConfig.ResNet50 with
        {
            Blocks = [1, 2, 2, 1],
            Classes = 7,
            Groups = 4,
            WidthPerGroup = 8
        });
        golden.FillByRule(source);
        using var model = Check("resnet50-w8-b", source, () => ResNet.FromPretrained(folder.Path));
        using (no_grad()) golden.Check("out.logits", model.call(golden["in.pixel_values"]));
    }

    [Fact]
    public void A_small_ResNet_is_built_from_its_configuration_file() =>
        Check("resnet18-a", new ResNet(ResNetConfig.ResNet18 with { Classes = 10 }), () => ResNet.FromPretrained(folder.Path))
            .Dispose();

    [Fact]
    public void GoogLeNet_is_built_from_its_configuration_file() => Check("googlenet-b",
        new GoogLeNet(new() { Classes = 5, AuxiliaryHeads = false, TransformInput = true }), () =>
            GoogLeNet.FromPretrained(folder.Path)).Dispose();

    [Fact]
    public void Inception_v3_is_built_from_its_configuration_file() => Check("inception3-b",
        new InceptionV3(new() { Classes = 6, AuxiliaryHead = false, TransformInput = true }), () =>
            InceptionV3.FromPretrained(folder.Path)).Dispose();

    [Fact]
    public void A_GoogLeNet_checkpoint_gives_the_reference_outputs()
    {
        Place("googlenet-a", new GoogLeNet(new() { Classes = 10 }));
        using var model = GoogLeNet.FromPretrained(folder.Path);
        CheckAuxiliary("googlenet-a", model.ForwardWithAuxiliary, "out.aux_logits2", "out.aux_logits1");
    }

    [Fact]
    public void An_Inception_v3_checkpoint_gives_the_reference_outputs()
    {
        Place("inception3-a", new InceptionV3(new() { Classes = 10 }));
        using var model = InceptionV3.FromPretrained(folder.Path);
        CheckAuxiliary("inception3-a", model.ForwardWithAuxiliary, "out.aux_logits");
    }

    [Theory]
    [InlineData("vgg11-a")]
    [InlineData("vgg13bn-b")]
    public void A_VGG_loads_the_published_names_and_survives_a_round_trip(string name)
    {
        using var golden = new GoldenCase(name);
        Place(name, (string?)null);
        WriteHollow(golden.Settings().GetProperty("state_dict"), new()
        {
            ["classifier.3.bias"] = [1, -1, 2],     // what reaches the last layer, whatever the picture: 1, 0, 2
            ["classifier.6.weight"] = [3, 100, 5],  // the first class: 3 + 2 · 5
            ["classifier.6.bias"] = [0.5f, 0.25f],
        });
        using var model = Vgg.FromPretrained(folder.Path);
        var classes = model.Config.Classes;
        using (no_grad())
            Near.Check("logits", tensor(new[] { 13.5f, 0.25f }.Concat(Enumerable.Repeat(0f, classes - 2)).ToArray()).view(1,
                classes), model.call(randn(1, 3, 32, 32)), 1e-6);
        var saved = folder.PathTo("saved");
        model.SavePretrained(saved);
        Assert.Equal((string)Json()["architecture"]!,
            (string)JsonNode.Parse(File.ReadAllText(Path.Combine(saved, "config.json")))!["architecture"]!);
        using var again = Vgg.FromPretrained(saved);
        Assert.Equal(model.Config.Stages.SelectMany(stage => stage), again.Config.Stages.SelectMany(stage => stage));
        foreach (var (key, tensor) in again.state_dict()) Assert.Equal(model.state_dict()[key].shape, tensor.shape);
        Assert.True(again.state_dict()["classifier.6.weight"].Same(model.state_dict()["classifier.6.weight"]));
    }

    [Fact]
    public void Auxiliary_heads_in_the_file_are_ignored_if_the_network_has_none()
    {
        using (var model = new GoogLeNet(new() { Classes = 10 })) model.SavePretrained(folder.Path);
        using (var whole = GoogLeNet.FromPretrained(folder.Path)) Assert.True(whole.Config.AuxiliaryHeads);
        folder.File("config.json", """{ "architecture": "googlenet(num_classes=10)", "aux_logits": false }""");
        using var read = GoogLeNet.FromPretrained(folder.Path);
        Assert.False(read.Config.AuxiliaryHeads);
        Assert.DoesNotContain(read.state_dict().Keys, name => name.StartsWith("aux", StringComparison.Ordinal));
    }

    [Fact]
    public void Checkpoints_without_num_batches_tracked_are_read()
    {
        using var model = new ResNet(ResNetConfig.ResNet18 with { Classes = 3, Blocks = [1, 1, 1, 1] });
        model.SavePretrained(folder.Path);
        Assert.StartsWith("ResNet(BasicBlock,[1,1,1,1],", (string)Json()["architecture"]!, StringComparison.Ordinal);
        SafetensorsFile.Write(folder.PathTo("model.safetensors"),
            model.state_dict().Where(pair => !pair.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)));
        using var read = ResNet.FromPretrained(folder.Path);
        foreach (var (name, tensor) in read.state_dict()) Assert.True(tensor.Same(model.state_dict()[name]), name);
    }

    [Theory]
    [InlineData("resnet50(num_classes=10)", "does not fit the model ResNet: unknown.0 is unexpected")]
    [InlineData("resnet20", "architecture is \"resnet20\"; expected one of resnet18")]
    [InlineData("resnet18(norm_layer=None)", "expected a constructor's name, and its arguments")]
    [InlineData("resnet18(num_classes=ten)", "num_classes is \"ten\"; expected a whole number of at least 1")]
    [InlineData("ResNet(Bottle,[1,1,1,1])", "block is \"Bottle\"; expected BasicBlock or Bottleneck")]
    [InlineData("ResNet(BasicBlock)", "layers is absent")]
    [InlineData("ResNet(BasicBlock,[1,1,1])", "Blocks is [1, 1, 1]; expected four numbers")]
    [InlineData("ResNet(BasicBlock,[2147483647,2147483647,1,1])", "describes 2147483647 layers")]
    [InlineData("resnet18(replace_stride_with_dilation=[False,1,True])", "expected a list of true and false")]
    [InlineData("resnet18(groups=2)", "are for bottleneck blocks")]
    public void An_invalid_ResNet_folder_is_refused(string architecture, string expected)
    {
        SafetensorsFile.Write(folder.PathTo("model.safetensors"),
            Enumerable.Range(0, 20).Select(i => KeyValuePair.Create($"unknown.{i}", zeros(1))));
        folder.File("config.json", new JsonObject { ["architecture"] = architecture }.ToJsonString());
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => ResNet.FromPretrained(folder.Path).Dispose()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_invalid_VGG_configuration_is_refused()
    {
        SafetensorsFile.Write(folder.PathTo("model.safetensors"),
            Enumerable.Range(0, 8).Select(i => KeyValuePair.Create($"classifier.{i}.weight", zeros(1))));
        string Refused(string config)
        {
            folder.File("config.json", config);
            return Assert.Throws<InvalidDataException>(() => Vgg.FromPretrained(folder.Path).Dispose()).Message;
        }
        Assert.Contains("expected one of vgg11, vgg13", Refused("""{ "architecture": "vgg12" }"""), StringComparison.Ordinal);
        Assert.Contains("config.json has no field 'architecture'", Refused("{}"), StringComparison.Ordinal);
        Assert.Contains("does not fit the model Vgg", Refused("""{ "architecture": "vgg13_bn(num_classes=6)" }"""), StringComparison.Ordinal);
    }

    [Fact]
    public void Networks_that_torchvision_lacks_cannot_be_saved_in_its_format()
    {
        using var resNet = new ResNet(ResNetConfig.Nano);
        using var vgg = new Vgg(VggConfig.Nano);
        using var googLeNet = new GoogLeNet(GoogLeNetConfig.Nano);
        using var inception = new InceptionV3(InceptionV3Config.Nano);
        foreach (var (save, expected) in new (Action<string> Save, string Expected)[]
        {
            (path => resNet.SavePretrained(path), "Stem Small"), (path => vgg.SavePretrained(path), "PooledSize 3"),
            (path => googLeNet.SavePretrained(path), "WidthDivisor 4"),
                (path => inception.SavePretrained(path), "WidthDivisor 8"),
        })
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => save(folder.Path)).Message,
                StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("lstm-a", "model.safetensors")]
    [InlineData("lstm-a", "pytorch_model.bin")]
    [InlineData("lstm-b", "model.safetensors")]
    [InlineData("gru-a", "pytorch_model.bin")]
    [InlineData("gru-b", "model.safetensors")]
    public void Recurrent_layers_give_the_reference_outputs_and_survive_a_round_trip(string name, string weights)
    {
        using var golden = new GoldenCase(name);
        Place(name, weights);
        RecurrentLayer Load(string path) =>
            name.StartsWith("lstm", StringComparison.Ordinal) ? Lstm.FromPretrained(path) : Gru.FromPretrained(path);
        using var model = Load(folder.Path);
        Assert.False(model.training);
        var state = golden.Has("in.h0")
            ? new RecurrentState(golden["in.h0"], golden.Has("in.c0") ? golden["in.c0"] : null) : null;
        var read = model.Read(golden["in.x"], golden["in.lengths"], state);
        golden.Check("out.output", read.Output);
        golden.Check("out.h_n", read.State.Hidden);
        var saved = folder.PathTo("saved");
        if (model is Lstm lstm) lstm.SavePretrained(saved);
        else ((Gru)model).SavePretrained(saved);
        var written = JsonNode.Parse(File.ReadAllText(Path.Combine(saved, "config.json")))!.AsObject();
        foreach (var (field, value) in Json()) Assert.True(JsonNode.DeepEquals(value, written[field]), field);
        using var again = Load(saved);
        Assert.Equal(model.Shape, again.Shape);
        foreach (var (key, tensor) in again.state_dict()) Assert.True(tensor.Same(model.state_dict()[key]), key);
    }

    [Theory]
    [InlineData("architecture", "\"torch.nn.GRU\"", "expected torch.nn.LSTM")]
    [InlineData("bias", "false", "bias_ih_l0")]
    [InlineData("proj_size", "4", "proj_size is 4; expected 0")]
    [InlineData("input_size", "null", "input_size is null; expected a whole number")]
    [InlineData("hidden_size", "9", "weight_hh_l0 is [40, 10], the model has [36, 9]")]
    public void An_invalid_recurrent_configuration_is_refused(string field, string value, string expected)
    {
        Place("lstm-a", "model.safetensors");
        var config = Json();
        config[field] = JsonNode.Parse(value);
        folder.File("config.json", config.ToJsonString());
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Lstm.FromPretrained(folder.Path).Dispose()).Message,
            StringComparison.Ordinal);
    }

    /// <summary>
    /// Places a case's configuration and the weights of its rule, under the names that a network of ours gives them.
    /// </summary>
    private void Place(string name, Module<Tensor, Tensor> source)
    {
        using var golden = new GoldenCase(name);
        using var owned = source;
        golden.FillByRule(source);
        Place(name, (string?)null);
        StateDict.Save(source, folder.PathTo("model.safetensors"));
    }

    private static void CheckAuxiliary(string name, Func<Tensor, AuxiliaryLogits> model, params string[] auxiliary)
    {
        using var golden = new GoldenCase(name);
        using var noGrad = no_grad();
        var logits = model(golden["in.pixel_values"]);
        golden.Check("out.logits", logits.Logits);
        foreach (var (output, given) in auxiliary.Zip(logits.Auxiliary)) golden.Check(output, given);
    }

    /// <summary>Writes model.safetensors with tensors of zeros, which take no room, but for the first numbers of some.</summary>
    /// <param name="tensors">Pairs of name and shape.</param>
    /// <param name="values">The first numbers of some tensors.</param>
    private void WriteHollow(JsonElement tensors, Dictionary<string, float[]> values)
    {
        var header = new JsonObject();
        var places = new Dictionary<string, long>();
        var end = 0L;
        foreach (var (name, shape) in tensors.EnumerateArray()
            .Select(pair => (pair[0].GetString()!, pair[1].EnumerateArray().Select(size => size.GetInt64()).ToList())))
        {
            var counter = shape.Count == 0;
            places[name] = end;
            end += counter ? 8 : 4 * shape.Aggregate(1L, (product, size) => product * size);
            header[name] = new JsonObject
            {
                ["dtype"] = counter ? "I64" : "F32",
                ["shape"] = new JsonArray([.. shape.Select(size => JsonValue.Create(size))]),
                ["data_offsets"] = new JsonArray(places[name], end),
            };
        }
        var text = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        var padded = (text.Length + 7) / 8 * 8;
        using var file = File.Create(folder.PathTo("model.safetensors"));
        file.Write(BitConverter.GetBytes((long)padded));
        file.Write(text);
        file.Write(Enumerable.Repeat((byte)' ', padded - text.Length).ToArray());
        file.SetLength(8 + padded + end);
        foreach (var (name, numbers) in values)
        {
            file.Position = 8 + padded + places[name];
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(numbers));
        }
    }

    /// <summary>
    /// Loads a network's weights by the case's configuration, and once more after saving; all say the same to the case's
    /// pictures.
    /// </summary>
    private T Check<T>(string name, T source, Func<T> load) where T : Module<Tensor, Tensor>
    {
        using var golden = new GoldenCase(name);
        Place(name, (string?)null);
        using (source)
        using (no_grad())
        {
            StateDict.Save(source, folder.PathTo("model.safetensors"));
            source.eval();
            var expected = source.call(golden["in.pixel_values"]);
            var model = load();
            Assert.False(model.training);
            Near.Check("logits", expected, model.call(golden["in.pixel_values"]), 1e-4 * expected.abs().max().item<float>());
            var published = (string)Json()["architecture"]!;
            Action<string> save = model switch
            {
                ResNet network => path => network.SavePretrained(path),
                GoogLeNet network => path => network.SavePretrained(path),
                InceptionV3 network => path => network.SavePretrained(path),
                _ => throw new InvalidOperationException($"{model.GetName()} is not one of the cases."),
            };
            save(folder.Path);
            Assert.Equal(published, (string)Json()["architecture"]!);
            using var again = load();
            foreach (var (key, tensor) in source.state_dict()) Assert.True(tensor.Same(again.state_dict()[key]), key);
            return model;
        }
    }

    private JsonObject Json() => JsonNode.Parse(File.ReadAllText(folder.PathTo("config.json")))!.AsObject();

    private void Place(string name, string? weights)
    {
        var golden = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);
        foreach (var file in new[] { "config.json", weights })
            if (file is not null) File.Copy(Path.Combine(golden, file), folder.PathTo(file), overwrite: true);
    }
}

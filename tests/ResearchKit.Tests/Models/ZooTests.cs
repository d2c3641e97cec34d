using System.Reflection;
using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>The list of published models says what the models themselves say.</summary>
public sealed class ZooTests
{
    public static TheoryData<string> Names => [.. Zoo.Models.Entries.Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Parameters_and_operations_are_those_of_the_model(string name)
    {
        using var scope = NewDisposeScope();
        var entry = Zoo.Find(name);
        var model = MetaInitialization.Make(entry.Create);
        model.eval();
        Assert.Equal(entry.Parameters, model.parameters().Sum(parameter => parameter.numel()));
        var (units, run) = Pass(model, entry);
        Assert.Equal(1, FlopCounter.Of(model, run) / units / entry.Flops, 3);   // four digits are written in the list
    }

    [Fact]
    public void Every_preset_of_a_published_model_is_in_the_list()
    {
        var presets = typeof(GptConfig).Assembly.GetTypes()
            .Where(type => type.Namespace == "ResearchKit.Models" && type.Name.EndsWith("Config", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Static).Where(property =>
                property.PropertyType == type))
            .Select(property => property.GetValue(null)!).ToList();
        object[] unpublished =   // of the kit's own notebooks
        [
            GptConfig.Nano, GptConfig.Character, BertConfig.Nano, LlamaConfig.Nano, T5Config.Nano, VitConfig.Nano,
                ResNetConfig.Nano,
            VggConfig.Nano, GoogLeNetConfig.Nano, InceptionV3Config.Nano,
        ];
        var listed = Zoo.Models.Entries.Select(entry => ConfigOf(MetaInitialization.Make(entry.Create))).Select(Shown)
            .ToHashSet();
        var own = presets.Where(preset => preset.GetType() == typeof(GptConfig) || unpublished.Any(other =>
            other.GetType() == preset.GetType())).Select(Shown).Except(unpublished.Select(Shown));
        Assert.Empty(own.Except(listed));
    }

    [Fact]
    public void The_list_prints_a_line_for_each_model_and_names_those_it_has()
    {
        var text = Zoo.Models.ToString();
        Assert.Equal(Zoo.Models.Entries.Count, text.Split('\n').Length);
        Assert.Contains("resnet18: 11,689,512 parameters, 3.628 GFLOPs per image (224 × 224 pixels), BSD-3-Clause, "
            + "https://download.pytorch.org/models/", text, StringComparison.Ordinal);
        Assert.Contains("it has gpt2, ", Assert.Throws<KeyNotFoundException>(() => Zoo.Find("gpt5")).Message,
            StringComparison.Ordinal);
        Assert.All(Zoo.Models.Entries, entry => Assert.NotEmpty(entry.Files));
        Assert.Equal(Zoo.Models.Entries.Count, Zoo.Models.Entries.Select(entry => entry.Name).Distinct().Count());
    }

    private static (long Units, Action Run) Pass(nn.Module model, ZooEntry entry)
    {
        var meta = new Device(DeviceType.META);
        var size = int.Parse(entry.Input.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        if (model is T5 t5)
        {
            var tokens = zeros([1, size], int64, meta);
            return (size, () => t5.call(tokens, tokens));
        }
        var input = entry.Unit == "token" ? zeros([1, size], int64, meta) : zeros([1, 3, size, size], device: meta);
        return (entry.Unit == "token" ? size : 1, () => ((nn.Module<Tensor, Tensor>)model).call(input));
    }

    private static object ConfigOf(nn.Module model) => model.GetType().GetProperty("Config")!.GetValue(model)!;

    /// <summary>The properties of a configuration, with the items of lists.</summary>
    private static string Shown(object config) => System.Text.Json.JsonSerializer.Serialize(config, config.GetType());
}

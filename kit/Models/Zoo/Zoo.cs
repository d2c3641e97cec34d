using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>The published models that the kit reads: size, cost, licence, source and file names.</summary>
/// <remarks>
/// FLOPs are those of <see cref="ResearchKit.Layers.FlopCounter"/>, where a multiplication and an addition count as two. A
/// licence is that of the published weights, as their page states it; read it there before you use them. Nothing is
/// downloaded: see
/// <c>PretrainedHub</c>.
/// </remarks>
public static class Zoo
{
    private const string Mit = "MIT", Apache = "Apache-2.0", Bsd = "BSD-3-Clause", Llama2 = "Llama 2 Community License",
        Llama3 = "Llama 3 Community License", Llama31 = "Llama 3.1 Community License", Llama32 = "Llama 3.2 Community License",
        TorchHub = "https://download.pytorch.org/models/";

    private static readonly string[] Both = ["model.safetensors", "pytorch_model.bin"];
    private static readonly string[] Sharded = ["model.safetensors.index.json", "pytorch_model.bin.index.json"];

    /// <summary>All models, by family.</summary>
    public static ZooTable Models { get; } = new(
    [
        Text("gpt2", () => new Gpt(GptConfig.Gpt2),
            124_439_808, 0.28481e9, "1024 tokens", Mit, "openai-community/gpt2"),
        Text("gpt2-medium", () => new Gpt(GptConfig.Gpt2Medium),
            354_823_168, 0.80757e9, "1024 tokens", Mit, "openai-community/gpt2-medium"),
        Text("gpt2-large", () => new Gpt(GptConfig.Gpt2Large),
            774_030_080, 1.733e9, "1024 tokens", Mit, "openai-community/gpt2-large"),
        Text("gpt2-xl", () => new Gpt(GptConfig.Gpt2Xl),
            1_557_611_200, 3.4245e9, "1024 tokens", Mit, "openai-community/gpt2-xl"),
        Text("bert-base-uncased", () => new Bert(BertConfig.BaseUncased),
            109_482_240, 0.18874e9, "512 tokens", Apache, "google-bert/bert-base-uncased"),
        Text("bert-large-uncased", () => new Bert(BertConfig.LargeUncased),
            335_141_888, 0.65431e9, "512 tokens", Apache, "google-bert/bert-large-uncased"),
        Text("llama-2-7b", () => new Llama(LlamaConfig.Llama2Of7B),
            6_738_415_616, 14.288e9, "2048 tokens", Llama2, "meta-llama/Llama-2-7b-hf", Sharded),
        Text("llama-2-70b", () => new Llama(LlamaConfig.Llama2Of70B),
            68_976_648_192, 142.8e9, "2048 tokens", Llama2, "meta-llama/Llama-2-70b-hf", Sharded),
        Text("llama-3-8b", () => new Llama(LlamaConfig.Llama3Of8B),
            8_030_261_248, 16.083e9, "2048 tokens", Llama3, "meta-llama/Meta-Llama-3-8B", Sharded),
        Text("llama-3.1-8b", () => new Llama(LlamaConfig.Llama31Of8B),
            8_030_261_248, 16.083e9, "2048 tokens", Llama31, "meta-llama/Llama-3.1-8B", Sharded),
        Text("llama-3.2-1b", () => new Llama(LlamaConfig.Llama32Of1B),
            1_235_814_400, 2.7399e9, "2048 tokens", Llama32, "meta-llama/Llama-3.2-1B"),
        Text("tinyllama", () => new Llama(LlamaConfig.TinyLlama),
            1_100_048_384, 2.4379e9, "2048 tokens", Apache, "TinyLlama/TinyLlama-1.1B-Chat-v1.0"),
        Text("t5-small", () => new T5(T5Config.Small),
            60_506_624, 0.13985e9, "512 tokens read, 512 written", Apache, "google-t5/t5-small"),
        Text("t5-base", () => new T5(T5Config.Base),
            222_903_552, 0.50233e9, "512 tokens read, 512 written", Apache, "google-t5/t5-base"),
        Text("t5-v1_1-small", () => new T5(T5Config.SmallV11),
            76_961_152, 0.13985e9, "512 tokens read, 512 written", Apache, "google/t5-v1_1-small"),
        Text("t5-v1_1-base", () => new T5(T5Config.BaseV11),
            247_577_856, 0.50233e9, "512 tokens read, 512 written", Apache, "google/t5-v1_1-base"),
        Image("vit-base-patch16-224", () => new Vit(VitConfig.Base),
            86_567_656, 2 * 17.564e9, 224, Apache, "google/vit-base-patch16-224", Both),
        Image("vit-large-patch16-224", () => new Vit(VitConfig.Large),
            304_326_632, 2 * 61.555e9, 224, Apache, "google/vit-large-patch16-224", Both),
        Image("resnet18", () => new ResNet(ResNetConfig.ResNet18),
            11_689_512, 2 * 1.814e9, 224, Bsd, TorchHub, ["resnet18-f37072fd.pth"]),
        Image("resnet34", () => new ResNet(ResNetConfig.ResNet34),
            21_797_672, 2 * 3.664e9, 224, Bsd, TorchHub, ["resnet34-b627a593.pth"]),
        Image("resnet50", () => new ResNet(ResNetConfig.ResNet50),
            25_557_032, 2 * 4.089e9, 224, Bsd, TorchHub, ["resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth"]),
        Image("resnet101", () => new ResNet(ResNetConfig.ResNet101),
            44_549_160, 2 * 7.801e9, 224, Bsd, TorchHub, ["resnet101-63fe2227.pth", "resnet101-cd907fc2.pth"]),
        Image("resnet152", () => new ResNet(ResNetConfig.ResNet152),
            60_192_808, 2 * 11.514e9, 224, Bsd, TorchHub, ["resnet152-394f9c45.pth", "resnet152-f82ba261.pth"]),
        Image("resnext50_32x4d", () => new ResNet(ResNetConfig.ResNeXt50),
            25_028_904, 2 * 4.23e9, 224, Bsd, TorchHub, ["resnext50_32x4d-7cdf4587.pth", "resnext50_32x4d-1a0047aa.pth"]),
        Image("resnext101_32x8d", () => new ResNet(ResNetConfig.ResNeXt101),
            88_791_336, 2 * 16.414e9, 224, Bsd, TorchHub, ["resnext101_32x8d-8ba56ff5.pth", "resnext101_32x8d-110c445d.pth"]),
        Image("wide_resnet50_2", () => new ResNet(ResNetConfig.WideResNet50),
            68_883_240, 2 * 11.398e9, 224, Bsd, TorchHub, ["wide_resnet50_2-95faca4d.pth", "wide_resnet50_2-9ba9bcbe.pth"]),
        Image("wide_resnet101_2", () => new ResNet(ResNetConfig.WideResNet101),
            126_886_696, 2 * 22.753e9, 224, Bsd, TorchHub, ["wide_resnet101_2-32ee1156.pth", "wide_resnet101_2-d733dc28.pth"]),
        Image("vgg11", () => new Vgg(VggConfig.Vgg11),
            132_863_336, 2 * 7.609e9, 224, Bsd, TorchHub, ["vgg11-8a719046.pth"]),
        Image("vgg11_bn", () => new Vgg(VggConfig.Vgg11BatchNorm),
            132_868_840, 2 * 7.609e9, 224, Bsd, TorchHub, ["vgg11_bn-6002323d.pth"]),
        Image("vgg13", () => new Vgg(VggConfig.Vgg13),
            133_047_848, 2 * 11.308e9, 224, Bsd, TorchHub, ["vgg13-19584684.pth"]),
        Image("vgg13_bn", () => new Vgg(VggConfig.Vgg13BatchNorm),
            133_053_736, 2 * 11.308e9, 224, Bsd, TorchHub, ["vgg13_bn-abd245e5.pth"]),
        Image("vgg16", () => new Vgg(VggConfig.Vgg16),
            138_357_544, 2 * 15.47e9, 224, Bsd, TorchHub, ["vgg16-397923af.pth"]),
        Image("vgg16_bn", () => new Vgg(VggConfig.Vgg16BatchNorm),
            138_365_992, 2 * 15.47e9, 224, Bsd, TorchHub, ["vgg16_bn-6c64b313.pth"]),
        Image("vgg19", () => new Vgg(VggConfig.Vgg19),
            143_667_240, 2 * 19.632e9, 224, Bsd, TorchHub, ["vgg19-dcbb9e9d.pth"]),
        Image("vgg19_bn", () => new Vgg(VggConfig.Vgg19BatchNorm),
            143_678_248, 2 * 19.632e9, 224, Bsd, TorchHub, ["vgg19_bn-c79401a0.pth"]),
        Image("googlenet", () => new GoogLeNet(GoogLeNetConfig.GoogLeNet),
            13_004_888, 2 * 1.498e9, 224, Bsd, TorchHub, ["googlenet-1378be20.pth"]),
        Image("googlenet (no auxiliary heads)", () => new GoogLeNet(GoogLeNetConfig.GoogLeNetWithoutHeads),
            6_624_904, 2 * 1.498e9, 224, Bsd, TorchHub, ["googlenet-1378be20.pth"]),
        Image("inception_v3", () => new InceptionV3(InceptionV3Config.InceptionV3),
            27_161_264, 2 * 5.713e9, 299, Bsd, TorchHub, ["inception_v3_google-0cc3c7bd.pth"]),
        Image("inception_v3 (no auxiliary head)", () => new InceptionV3(InceptionV3Config.InceptionV3WithoutHead),
            23_834_568, 2 * 5.713e9, 299, Bsd, TorchHub, ["inception_v3_google-0cc3c7bd.pth"]),
    ]);

    /// <summary>Returns the model of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message lists the names.</exception>
    public static ZooEntry Find(string name) => Models.Entries.FirstOrDefault(entry => entry.Name == name)
        ?? throw new KeyNotFoundException($"The zoo has no '{name}'; it has "
            + $"{string.Join(", ", Models.Entries.Select(entry => entry.Name))}.");

    private static ZooEntry Text(string name, Func<nn.Module> create, long parameters, double flops, string input, string licence,
        string source, string[]? files = null) => new(create)
        {
            Name = name,
            Parameters = parameters,
            Flops = flops,
            Unit = "token",
            Input = input,
            Licence = licence,
            Source = source,
            Files = files ?? Both,
        };

    private static ZooEntry Image(string name, Func<nn.Module> create, long parameters, double flops, int side, string licence,
        string source, string[] files) => new(create)
        {
            Name = name,
            Parameters = parameters,
            Flops = flops,
            Unit = "image",
            Input = $"{side} × {side} pixels",
            Licence = licence,
            Source = source,
            Files = files,
        };
}

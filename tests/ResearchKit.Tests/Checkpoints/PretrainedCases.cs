using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>The golden cases of transformers by the class that each is of.</summary>
internal static class PretrainedCases
{
    public static nn.Module Load(string name, string folder, bool mapped = true) => name switch
    {
        "bert-model-a" => Bert.FromPretrained(folder, mapped),
        "bert-mlm-a" => BertForMaskedLanguageModel.FromPretrained(folder, mapped),
        "bert-cls-a" => BertForSequenceClassification.FromPretrained(folder, mapped),
        "llama-a" or "llama-b" => Llama.FromPretrained(folder, mapped),
        "t5-a" or "t5-v11-b" => T5.FromPretrained(folder, mapped),
        _ => Vit.FromPretrained(folder, mapped),
    };

    public static void Save(nn.Module model, string folder)
    {
        if (model is Bert bert) bert.SavePretrained(folder);
        else if (model is BertForMaskedLanguageModel masked) masked.SavePretrained(folder);
        else if (model is BertForSequenceClassification classifier) classifier.SavePretrained(folder);
        else if (model is Llama llama) llama.SavePretrained(folder);
        else if (model is T5 t5) t5.SavePretrained(folder);
        else ((Vit)model).SavePretrained(folder);
    }

    /// <summary>Checks what the case's model says to the case's input.</summary>
    public static void Check(GoldenCase golden, nn.Module model)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor? Given(string name) => golden.Has(name) ? golden[name] : null;
        var (mask, types) = (Given("in.attention_mask"), Given("in.token_type_ids"));
        switch (model)
        {
            case Bert bert:
                var features = bert.Features(golden["in.input_ids"], mask, types);
                golden.Check("out.last_hidden_state", features);
                golden.Check("out.pooler_output", bert.Pool(features));
                break;
            case BertForMaskedLanguageModel masked:
                golden.Check("out.logits",
                masked.Logits(golden["in.input_ids"], mask, types)); break;
            case BertForSequenceClassification classifier:
                golden.Check("out.logits",
                classifier.Logits(golden["in.input_ids"], mask, types)); break;
            case Llama llama: golden.Check("out.logits", llama.Logits(golden["in.input_ids"], mask)); break;
            case T5 t5:
                golden.Check("out.logits",
                t5.Logits(golden["in.input_ids"], t5.ShiftRight(golden["in.labels"]), mask)); break;
            default: golden.Check("out.logits", ((Vit)model).call(golden["in.pixel_values"])); break;
        }
    }

    /// <summary>Whether two tensors are the same bits of the same shape and dtype.</summary>
    public static bool Same(this Tensor one, Tensor other) =>
        one.dtype == other.dtype && one.shape.SequenceEqual(other.shape) && one.eq(other).all().item<bool>();
}

using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Writes models as ONNX files, for ONNX Runtime and other programs.</summary>
/// <remarks>
/// Operator set 20, in evaluation mode. The batch axis can have any size, and so can time; the images of GoogLeNet, ResNet and
/// Inception v3 too. Inputs and outputs have the names that transformers gives them: <c>input_ids</c>, <c>attention_mask</c>,
/// <c>token_type_ids</c>, <c>decoder_input_ids</c>, <c>pixel_values</c>, <c>input_values</c>; <c>logits</c>,
/// <c>last_hidden_state</c>, <c>pooler_output</c>. Decoders have no cache of keys and values.
/// </remarks>
public static class OnnxExport
{
    extension(nn.Module model)
    {
        /// <summary>Writes this model as an ONNX file.</summary>
        /// <param name="path">Path of the file.</param>
        /// <param name="options">Precision, inputs and layout of the file; null for float32 in one file.</param>
        /// <exception cref="ArgumentException">
        /// The model is not one that can be written, or a setting does not fit it; nothing is written.
        /// </exception>
        /// <exception cref="InvalidOperationException">
        /// The model is packed, or has adapters that are not merged.
        /// </exception>
        public void SaveOnnx(string path, OnnxOptions? options = null)
        {
            ArgumentNullException.ThrowIfNull(model);
            Packing.Refuse(model, "saved");
            LowRankAdapter.RefuseUnmerged(model, "which the file would leave out");
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var make = new OnnxBuilder(model, options ?? new());
            Add(make, model);
            OnnxFile.Write(path, make.Graph, make.Options.SeparatesWeights);
        }
    }

    private static void Add(OnnxBuilder make, nn.Module model)
    {
        switch (model)
        {
            case Gpt gpt: OnnxDecoders.Add(make, gpt.Config); break;
            case Llama llama: OnnxDecoders.Add(make, llama.Config); break;
            case Bert bert: OnnxBert.AddFeatures(make, bert.Config); break;
            case BertForMaskedLanguageModel bert: OnnxBert.AddMaskedLanguageModel(make, bert.Config); break;
            case BertForSequenceClassification bert: OnnxBert.AddClassifier(make, bert.Config, ofTokens: false); break;
            case BertForTokenClassification bert: OnnxBert.AddClassifier(make, bert.Config, ofTokens: true); break;
            case T5 t5: OnnxT5.Add(make, t5.Config); break;
            case Vit vit: OnnxVit.Add(make, vit.Config); break;
            case Vgg vgg: OnnxConvolutional.Add(make, vgg.Config); break;
            case ResNet network: OnnxConvolutional.Add(make, network.Config); break;
            case GoogLeNet network: OnnxInception.Add(make, network.Config); break;
            case InceptionV3 network: OnnxInception.Add(make, network.Config); break;
            case RecurrentClassifier network: OnnxRecurrent.Add(make, network.Config); break;
            case RecurrentLanguageModel network: OnnxRecurrent.Add(make, network.Config); break;
            default:
                throw new ArgumentException($"{model.GetName()} cannot be written as ONNX; known are Gpt, Llama, the Bert "
                    + "models, T5, Vit, Vgg, ResNet, GoogLeNet, InceptionV3, RecurrentClassifier and RecurrentLanguageModel.",
                    nameof(model));
        }
    }
}
